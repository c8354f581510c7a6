"""The typed contract is built from an effective one."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..text.remembered import by_content
from . import classify, implementations, mixins
from .aggregation import build_aggregate
from .build_deployment import build_deployment, build_tls
from .caches import build_cache, build_invalidations
from .callers import build_auth
from .contract import (
    BASE_TYPES,
    FEATURE_ALIASES,
    MISSING,
    Caching,
    CircuitBreaker,
    Contract,
    DeadLetterQueue,
    EnumType,
    Example,
    Field,
    Mixin,
    Model,
    Observability,
    Operation,
    RateLimiting,
    Retry,
    Schedule,
    ServiceBreaker,
    Target,
    Tracing,
    Transactions,
    Union,
    build_security,
    spell_out,
)
from .deployment import (
    DEFAULT_HOST,
    DEFAULT_PORT,
    DEFAULT_SCRAPE_SECONDS,
    Consul,
    Service,
)
from .fsm import StateStore, build_figure_store, build_fsm, build_store, is_moved
from .integrations import (
    ApiClient,
    ConsumedEvent,
    DatabaseIntegration,
    FilesystemIntegration,
    KafkaIntegration,
    Migration,
    RedisIntegration,
)
from .publishing import with_announced
from .syntax import source
from .workflow import build_workflow


@dataclass(frozen=True, slots=True)
class Named:
    """The types of a contract that are no models: enums, and unions by name."""

    enums: frozenset[str]
    unions: Mapping[str, Union]


@by_content
def build(raw: Mapping[str, Any]) -> Contract:
    """Return the typed contract for a document that has no problems.

    Args:
        raw: The document.

    Returns:
        The contract.
    """
    enums = tuple(_enum(name, spec) for name, spec in raw.get("enums", {}).items())
    named = Named(
        frozenset(item.name for item in enums),
        {
            name: Union(tuple(spec["one_of"]), spec["discriminator"])
            for name, spec in raw.get("models", {}).items()
            if "one_of" in spec
        },
    )
    advanced = raw.get("advanced_features", raw.get("error_handling", {}))
    integrations = raw.get("integrations", {})
    service = raw.get("service", {})
    subcontracts = raw.get("subcontracts", {})
    events = subcontracts.get("event_type", {})
    by_name = {spec["name"]: spec for spec in raw["operations"]}
    published: dict[str, list[str]] = {}
    for spec in events.get("published_events", ()):
        published.setdefault(spec["operation"], []).append(spec["event"])
    return Contract(
        name=raw["name"],
        node_type=classify.node_type(raw),
        classified=() if "node_type" in raw else _classified(classify.classify(raw)[0]),
        version=_version(raw.get("version", "1.0.0")),
        package=raw["package"],
        description=raw.get("description", ""),
        domain=raw.get("domain", ""),
        features=tuple(
            dict.fromkeys(
                FEATURE_ALIASES.get(word, word)
                for word in (*raw.get("features", ()), *mixins.served_features(raw.get("mixins")))
            )
        ),
        dependencies=dict(raw.get("dependencies", {})),
        enums=enums,
        models=tuple(
            Model(name, fields(spec["fields"], named), spec.get("description", ""))
            for name, spec in raw.get("models", {}).items()
            if "fields" in spec
        ),
        operations=tuple(
            _operation(spec, named, published, by_name, has_fsm="fsm" in subcontracts) for spec in raw["operations"]
        ),
        database=_database_integration(integrations.get("database")),
        api_client=_settings(ApiClient, integrations.get("api_client")),
        apis={name: ApiClient(**spec) for name, spec in integrations.get("apis", {}).items()},
        kafka=_settings(KafkaIntegration, integrations.get("kafka")),
        redis=_settings(RedisIntegration, integrations.get("redis")),
        filesystem=_settings(FilesystemIntegration, integrations.get("filesystem")),
        consul=_settings(Consul, integrations.get("consul")),
        integrations_off=tuple(name for name, spec in integrations.items() if spec is False),
        retry=_retry(advanced.get("retry_policy")),
        circuit_breaker=_circuit_breaker(advanced.get("circuit_breaker")),
        transactions=_transactions(advanced.get("transactions")),
        dead_letter_queue=_dead_letter_queue(raw),
        security=build_security(advanced.get("security_validation")),
        observability=_observability(advanced.get("observability", {})),
        rate_limiting=_rate_limiting(raw),
        caching=_caching(raw),
        consumed_events=tuple(
            ConsumedEvent(spec["event"], spec["operation"], spec.get("where", ""), dict(spec.get("map", {})))
            for spec in events.get("consumed_events", ())
        ),
        mixins=tuple(
            Mixin(spec["name"], spec.get("enabled", True), dict(spec.get("config", {})))
            for spec in raw.get("mixins", ())
            if mixins.CATALOGUE[spec["name"]].status == "composes"
        ),
        fsm=build_fsm(subcontracts.get("fsm")),
        state_store=build_store(subcontracts, raw["name"]),
        run_store=_run_store(subcontracts, raw),
        figure_store=build_figure_store(raw),
        service=Service(
            port=service.get("port", DEFAULT_PORT),
            host=service.get("host", DEFAULT_HOST),
            tags=tuple(service.get("tags", ())),
            enabled=service.get("enabled", True),
            openapi=service.get("openapi", True),
            asyncapi=service.get("asyncapi", True),
            docs=service.get("docs", service.get("openapi", True)),
            auth=build_auth(service.get("auth")),
            tls=build_tls(service.get("tls", False)),
        ),
        deployment=build_deployment(raw.get("deployment", {}), _scrape_seconds(advanced)),
        template_variant=raw.get("template_variant"),
        validation_level=raw.get("validation_level", "standard"),
        runtime=raw.get("runtime", "copy"),
        layout=raw.get("layout", "project"),
    )


def fields(specs: Mapping[str, Any] | None, named: Named) -> tuple[Field, ...]:
    """Return typed fields.

    Args:
        specs: Field by name.
        named: The contract's enums and unions; any other name that is no base type is a model's.

    Returns:
        The fields, in order.
    """
    return tuple(_field(name, spec, named) for name, spec in (specs or {}).items())


def _field(name: str, spec: str | Mapping[str, Any], named: Named) -> Field:
    long = spell_out(spec)
    kind = long["type"]
    reference = None if kind in BASE_TYPES else kind
    if reference:
        kind = "enum" if reference in named.enums else "union" if reference in named.unions else "model"
    own = ("type", "items", "values", "default", "required", "description", "alias", "secret", "const")
    held = next((key for key in ("items", "values") if key in long), None)
    constraints = {key: value for key, value in long.items() if key not in own}
    if "const" in long:
        constraints["enum"] = [long["const"]]
    return Field(
        name=name,
        kind=kind,
        reference=reference,
        items=_field("item", long[held], named) if held else None,
        constraints=constraints,
        default=long.get("default", MISSING),
        required=long.get("required", True),
        description=long.get("description", ""),
        alias=long.get("alias", ""),
        secret=long.get("secret", False),
        union=named.unions.get(str(reference)),
    )


def _enum(name: str, spec: list[str] | Mapping[str, Any]) -> EnumType:
    if isinstance(spec, list):
        return EnumType(name, tuple(spec), "")
    return EnumType(name, tuple(spec["values"]), spec.get("description", ""))


def _classified(candidate: classify.Candidate) -> tuple[str, ...]:
    return (f"confidence {candidate.confidence:.0%}", *candidate.reasons)


def _run_store(subcontracts: Mapping[str, Any], raw: Mapping[str, Any]) -> StateStore | None:
    spec = subcontracts.get("state_management")
    if spec is None or not any("workflow" in operation for operation in raw["operations"]):
        return None
    return StateStore(spec["backend"], spec.get("table") or spec.get("key_prefix") or f"{raw['name']}_runs")


def _version(spec: str | Mapping[str, int]) -> str:
    return spec if isinstance(spec, str) else f"{spec['major']}.{spec['minor']}.{spec['patch']}"


def _operation(
    spec: Mapping[str, Any],
    named: Named,
    published: Mapping[str, Sequence[str]],
    operations: Mapping[str, Any],
    *,
    has_fsm: bool,
) -> Operation:
    database = spec.get("database")
    announced = () if "kafka" in spec else published.get(spec["name"], ())
    target = spec.get("target")
    return Operation(
        name=spec["name"],
        description=spec.get("description", ""),
        input=fields(spec.get("input"), named),
        output=fields(spec.get("output"), named),
        database=implementations.database(database) if database else None,
        http=implementations.http(spec["http"]) if "http" in spec else None,
        kafka=implementations.kafka(spec["kafka"]) if "kafka" in spec else None,
        redis=implementations.redis(spec["redis"]) if "redis" in spec else None,
        filesystem=implementations.filesystem(spec["filesystem"]) if "filesystem" in spec else None,
        compute={name: source(text) for name, text in spec["compute"].items()} if "compute" in spec else None,
        aggregate=build_aggregate(spec.get("aggregate")),
        by_state_machine=has_fsm and is_moved(spec),
        workflow=build_workflow(spec.get("workflow"), spec.get("timeout_seconds")),
        publishes=with_announced(spec, announced),
        schedule=_schedule(spec.get("schedule")),
        examples=tuple(
            Example(example["input"], example["output"], example.get("description", ""))
            for example in spec.get("examples", ())
        ),
        target=Target(target.get("p95_ms"), target.get("per_second")) if target else None,
        timeout_seconds=spec.get("timeout_seconds"),
        idempotent=spec.get("idempotent"),
        idempotency_key=spec.get("idempotency_key", False),
        retry=_retry(spec.get("retry")),
        requirements=tuple(spec.get("requirements", ())),
        settings=fields(spec.get("settings"), named),
        scopes=tuple(spec.get("scopes", ())),
        cache=build_cache(spec.get("cache")),
        invalidates=build_invalidations(spec.get("invalidates"), operations),
        then={name: source(text) for name, text in spec.get("then", {}).items()},
    )


def _schedule(spec: Mapping[str, Any] | None) -> Schedule | None:
    if spec is None:
        return None
    return Schedule(spec.get("every_seconds"), spec.get("cron", ""), spec.get("time_zone", "UTC"))


def _settings[T](kind: Callable[..., T], spec: Mapping[str, Any] | bool | None) -> T | None:
    if spec is None or spec is False:
        return None
    return kind() if spec is True else kind(**spec)


def _dead_letter_queue(raw: Mapping[str, Any]) -> DeadLetterQueue | None:
    spec = raw.get("advanced_features", {}).get("dead_letter_queue")
    if spec is None:
        return DeadLetterQueue() if "dead_letter_queue" in raw.get("features", ()) else None
    monitoring = spec.get("monitoring", {})
    queue = DeadLetterQueue(
        **{key: value for key, value in spec.items() if key != "monitoring"},
        alert=monitoring.get("enabled", True),
        alert_window_seconds=monitoring.get("check_interval_seconds"),
    )
    return queue if queue.enabled else None


def _observability(spec: Mapping[str, Any]) -> Observability:
    tracing = spec.get("tracing")
    metrics, logging = spec.get("metrics", {}), spec.get("logging", {})
    return Observability(
        tracing=Tracing(**tracing) if tracing is not None and tracing.get("enabled", True) else None,
        metrics=metrics.get("enabled", True),
        prometheus_port=metrics.get("prometheus_port"),
        json_logs=logging.get("structured", True) and logging.get("json_format", True),
        correlation=logging.get("correlation_tracking", True),
        export_interval_seconds=metrics.get("export_interval_seconds"),
    )


def _rate_limiting(raw: Mapping[str, Any]) -> RateLimiting | None:
    spec = raw.get("advanced_features", {}).get("rate_limiting")
    if spec is None:
        return RateLimiting() if "rate_limiting" in raw.get("features", ()) else None
    if not spec.get("enabled", True):
        return None
    return RateLimiting(**{key: value for key, value in spec.items() if key != "enabled"})


def _caching(raw: Mapping[str, Any]) -> Caching | None:
    spec = raw.get("subcontracts", {}).get("caching")
    if spec is None:
        pure = classify.node_type(raw) == "compute"
        return Caching() if pure and "caching" in raw.get("features", ()) else None
    if not spec.get("enabled", True):
        return None
    return Caching(**{key: value for key, value in spec.items() if key != "enabled"})


def _retry(spec: Mapping[str, Any] | None) -> Retry | None:
    if spec is None:
        return None
    settings: dict[str, Any] = {key: tuple(value) if isinstance(value, list) else value for key, value in spec.items()}
    return Retry(**settings)


def _circuit_breaker(spec: Mapping[str, Any] | None) -> CircuitBreaker | None:
    if spec is None:
        return None
    return CircuitBreaker(
        enabled=spec.get("enabled", True),
        failure_threshold=spec.get("failure_threshold", 5),
        recovery_timeout_ms=spec.get("recovery_timeout_ms", 60_000),
        half_open_max_calls=spec.get("half_open_max_calls", 1),
        services={
            service["name"]: ServiceBreaker(service.get("failure_threshold"), service.get("recovery_timeout_ms"))
            for service in spec.get("services", ())
        },
    )


def _transactions(spec: Mapping[str, Any] | None) -> Transactions | None:
    if spec is None:
        return None
    return Transactions(
        enabled=spec.get("enabled", True),
        isolation_level=spec.get("isolation_level", "READ_COMMITTED"),
        timeout_seconds=spec.get("timeout_seconds"),
    )


def _database_integration(spec: Mapping[str, Any] | bool | None) -> DatabaseIntegration | None:
    if spec is None or spec is False:
        return None
    settings: Mapping[str, Any] = {} if spec is True else spec
    pool = settings.get("pool", {})
    return DatabaseIntegration(
        migrations=tuple(
            Migration(item["id"], item["sql"], item.get("transaction", True)) for item in settings.get("migrations", ())
        ),
        pool_min_size=pool.get("min_size", 1),
        pool_max_size=pool.get("max_size", max(10, pool.get("min_size", 0))),
        statement_timeout_seconds=settings.get("statement_timeout_seconds"),
    )


def _scrape_seconds(advanced: Mapping[str, Any]) -> int:
    seconds = advanced.get("observability", {}).get("metrics", {}).get("export_interval_seconds")
    return DEFAULT_SCRAPE_SECONDS if seconds is None else math.ceil(seconds)
