"""A contract as typed values, every short form spelled out and every default filled in."""

import enum
import math
import types
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from . import classify, mixins, sql
from .aggregation import Aggregate, build_aggregate
from .expressions import source
from .fsm import Fsm, StateStore, build_fsm, build_store, is_moved
from .workflow import Workflow, build_workflow


class _Missing(enum.Enum):
    MISSING = "missing"


MISSING: Final = _Missing.MISSING
"""Stands for a default that was not given, since null is a default like any other."""

BASE_TYPES = (
    "string",
    "integer",
    "number",
    "boolean",
    "uuid",
    "datetime",
    "date",
    "duration",
    "decimal",
    "bytes",
    "object",
    "array",
)
FEATURE_ALIASES = {
    "resilience": "retry",
    "fault_tolerance": "circuit_breaker",
    "discovery": "service_discovery",
    "strict": "fail_fast",
    "command_line": "cli",
    "stamping": "canonical_yaml",
    "workflow": "hybrid_execution",
    "database": "persistence",
    "api_client": "http_client",
    "kafka": "event_driven",
}
DEFAULT_PORT = 8000
DEFAULT_HOST = "127.0.0.1"
DEFAULT_SCRAPE_SECONDS = 30


@dataclass(frozen=True, slots=True)
class Field:
    """A field of an input, an output or a model.

    Attributes:
        name: Its name.
        kind: One of BASE_TYPES, or `enum` or `model`.
        reference: The enum or model that it names.
        items: What an array holds; None for anything.
        constraints: JSON Schema keywords.
        default: The value when it is left out, or MISSING.
        required: False when it may be left out, and may be null.
        description: What it means.
    """

    name: str
    kind: str
    reference: str | None
    items: "Field | None"
    constraints: Mapping[str, Any]
    default: Any
    required: bool
    description: str


@dataclass(frozen=True, slots=True)
class EnumType:
    """A named set of values."""

    name: str
    values: tuple[str, ...]
    description: str


@dataclass(frozen=True, slots=True)
class Model:
    """A named set of fields."""

    name: str
    fields: tuple[Field, ...]
    description: str


@dataclass(frozen=True, slots=True)
class Returns:
    """What becomes of a statement's rows: how many there are, and which output fields they fill."""

    rows: Literal["one", "many", "none"]
    into: str | None
    found: str | None
    count: str | None


@dataclass(frozen=True, slots=True)
class Database:
    """An SQL statement.

    Attributes:
        query: The statement, with `$1`, `$2`, … for the parameters.
        parameters: Input fields, in the order of the placeholders.
        returns: What becomes of its rows.
        transaction: False when it opts out of the node's transactions.
        asks_for_transaction: Whether the contract says in so many words that it runs in one.
        reads_only: Whether it changes nothing.
    """

    query: str
    parameters: tuple[str, ...]
    returns: Returns
    transaction: bool
    asks_for_transaction: bool
    reads_only: bool


@dataclass(frozen=True, slots=True)
class Http:
    """An HTTP request.

    Attributes:
        method: In upper case.
        path: Below the base URL, with references.
        query: Parameters, with references.
        headers: Headers of this request, with references.
        body: Sent as JSON, or as text where the headers say so, with references; MISSING for no body.
        omit_null: Whether members of the body without a value are left out.
        success: Status codes of success; none stands for every 2xx.
        extract: JSONPath by output field.
    """

    method: str
    path: str
    query: Mapping[str, Any]
    headers: Mapping[str, str]
    body: Any
    omit_null: bool
    success: tuple[int, ...]
    extract: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Kafka:
    """A message to publish; key, payload and headers may hold references, and MISSING is the whole input."""

    topic: str
    key: str | None
    payload: Any
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Redis:
    """A Redis command.

    Attributes:
        command: In lower case.
        key: With references, as `field`, `value`, `amount` and `ttl_seconds`.
        field: The field of a hash.
        value: Stored as JSON; MISSING where the command takes none.
        amount: How much `incr` and `decr` change the number.
        ttl_seconds: When the key goes away.
        into: The output field that takes the value.
        into_keys: The output fields that are keys of a JSON value.
        found: The output field that tells whether the key existed or changed.
        count: The output field that tells how many there were.
        returns: Whether the contract says anything about the reply.
    """

    command: str
    key: str
    field: str | None
    value: Any
    amount: int | str | None
    ttl_seconds: int | str | None
    into: str | None
    into_keys: tuple[str, ...]
    found: str | None
    count: str | None
    returns: bool


@dataclass(frozen=True, slots=True)
class Filesystem:
    """An action on a file; path and content may hold references, and MISSING is no content."""

    action: Literal["read", "write", "append", "delete"]
    path: str
    content: Any
    into: str | None
    found: str | None


@dataclass(frozen=True, slots=True)
class Retry:
    """A retry policy."""

    enabled: bool = True
    max_attempts: int = 3
    initial_delay_ms: float = 100
    max_delay_ms: float = 10_000
    backoff_multiplier: float = 2.0
    retryable_exceptions: tuple[str, ...] = ()
    retryable_status_codes: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class ServiceBreaker:
    """What differs for one integration's circuit breaker; None stands for no difference."""

    failure_threshold: int | None = None
    recovery_timeout_ms: float | None = None


@dataclass(frozen=True, slots=True)
class CircuitBreaker:
    """Settings of the circuit breakers."""

    enabled: bool
    failure_threshold: int
    recovery_timeout_ms: float
    half_open_max_calls: int
    services: Mapping[str, ServiceBreaker]


@dataclass(frozen=True, slots=True)
class Transactions:
    """Whether and how statements run in transactions."""

    enabled: bool
    isolation_level: str
    timeout_seconds: float | None


@dataclass(frozen=True, slots=True)
class DeadLetterQueue:
    """Where messages go that can't be handled.

    Attributes:
        enabled: False for nowhere.
        max_retries: Attempts after the first one.
        topic_suffix: What is added to the topic's name.
        retry_delay_ms: Before each further attempt.
        alert_threshold: Dead letters from which on the alert is raised.
        alert: Whether there is one.
        alert_window_seconds: Only letters that are not older count for it; None for all.
    """

    enabled: bool = True
    max_retries: int = 3
    topic_suffix: str = ".dlq"
    retry_delay_ms: float = 1000
    alert_threshold: int = 100
    alert: bool = True
    alert_window_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class SecurityValidation:
    """What inputs and logs are checked for beyond their types."""

    enabled: bool = True
    sanitize_inputs: bool = False
    sanitize_logs: bool = False
    validate_sql: bool = True
    max_input_length: int | None = None
    forbidden_patterns: tuple[str, ...] = ()
    redact_fields: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Tracing:
    """Where spans go; the endpoint may refer to env."""

    enabled: bool = True
    exporter: Literal["otlp", "console", "none"] = "otlp"
    endpoint: str | None = None
    sample_rate: float = 1.0


@dataclass(frozen=True, slots=True)
class Observability:
    """Traces, metrics and logs.

    Attributes:
        tracing: None for no traces.
        metrics: Whether there are any.
        prometheus_port: A port of their own; None for the service's.
        json_logs: False for lines for people.
        correlation: Whether log lines carry the correlation id.
        export_interval_seconds: How often metrics are to be asked for; None where the contract does not say.
    """

    tracing: Tracing | None = None
    metrics: bool = True
    prometheus_port: int | None = None
    json_logs: bool = True
    correlation: bool = True
    export_interval_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class RateLimiting:
    """How many operations there may be each second, and at once after a pause."""

    requests_per_second: float = 100
    burst: int | None = None


@dataclass(frozen=True, slots=True)
class Caching:
    """How long results are kept, and how many of them at most."""

    ttl_seconds: int = 300
    max_entries: int = 1000


@dataclass(frozen=True, slots=True)
class ConsumedEvent:
    """An event that an operation handles."""

    event: str
    operation: str


@dataclass(frozen=True, slots=True)
class Example:
    """An input and the output that it leads to."""

    input: Mapping[str, Any]
    output: Mapping[str, Any]
    description: str


@dataclass(frozen=True, slots=True)
class Target:
    """Objectives: 95 of 100 runs take at most `p95_ms`, and `per_second` runs are done each second."""

    p95_ms: float | None
    per_second: float | None


@dataclass(frozen=True, slots=True)
class Operation:
    """One thing that the node does."""

    name: str
    description: str
    input: tuple[Field, ...]
    output: tuple[Field, ...]
    database: Database | None
    http: Http | None
    kafka: Kafka | None
    redis: Redis | None
    filesystem: Filesystem | None
    compute: Mapping[str, str] | None
    aggregate: Aggregate | None
    by_state_machine: bool
    workflow: Workflow | None
    publishes: str | None
    schedule_seconds: float | None
    examples: tuple[Example, ...]
    target: Target | None
    timeout_seconds: float | None
    idempotent: bool | None
    retry: Retry | None


@dataclass(frozen=True, slots=True)
class Migration:
    """One step of the database's schema."""

    id: str
    sql: str
    transaction: bool = True


@dataclass(frozen=True, slots=True)
class DatabaseIntegration:
    """Settings of the database."""

    migrations: tuple[Migration, ...]
    pool_min_size: int
    pool_max_size: int
    statement_timeout_seconds: float | None


@dataclass(frozen=True, slots=True)
class ApiClient:
    """Settings of the HTTP API; base URL and headers may refer to env and secret."""

    base_url: str | None = None
    timeout_seconds: float = 30
    headers: Mapping[str, str] = types.MappingProxyType({})
    health_path: str | None = None


@dataclass(frozen=True, slots=True)
class KafkaIntegration:
    """Settings of Kafka; the brokers may refer to env."""

    bootstrap_servers: str | None = None
    group_id: str | None = None
    outbox_max_messages: int = 100_000


@dataclass(frozen=True, slots=True)
class RedisIntegration:
    """Settings of Redis; its URL may refer to env and secret."""

    url: str | None = None
    max_connections: int = 50
    timeout_seconds: float = 5


@dataclass(frozen=True, slots=True)
class FilesystemIntegration:
    """Settings of files; the root may refer to env."""

    root: str = "data"
    max_bytes: int = 10_485_760


@dataclass(frozen=True, slots=True)
class Consul:
    """How the service registers with Consul; an empty name is the node's own."""

    url: str = "http://127.0.0.1:8500"
    service_name: str = ""
    check_interval_seconds: float = 10
    check_timeout_seconds: float = 5
    deregister_after_seconds: float = 600
    refresh_seconds: float = 30


@dataclass(frozen=True, slots=True)
class Mixin:
    """A mixin that the contract says something about, of those that can be part of a node."""

    name: str
    enabled: bool
    config: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Service:
    """How the node runs as a service."""

    port: int
    host: str
    tags: tuple[str, ...]
    enabled: bool


@dataclass(frozen=True, slots=True)
class Amounts:
    """Cores and bytes as Kubernetes writes them; empty where the contract does not say."""

    cpu: str = ""
    memory: str = ""


@dataclass(frozen=True, slots=True)
class Autoscaling:
    """How many instances there are at least and at most, and by how full they are; None where not said."""

    enabled: bool = True
    min_replicas: int | None = None
    max_replicas: int | None = None
    cpu_percent: int | None = None
    memory_percent: int | None = None


@dataclass(frozen=True, slots=True)
class ServiceMonitor:
    """How the Prometheus operator scrapes the node."""

    interval_seconds: int
    labels: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Deployment:
    """How the node is deployed.

    Attributes:
        replicas: Instances; None where the contract does not say.
        requests: What an instance is sure to get.
        limits: What an instance gets at most.
        image: The container image; empty where the contract does not say.
        namespace: Of Kubernetes; empty for that of whoever deploys it.
        env: Environment variables as text.
        autoscaling: How the number of instances follows the load.
        service_monitor: None when the Prometheus operator is not asked to scrape.
    """

    replicas: int | None
    requests: Amounts
    limits: Amounts
    image: str
    namespace: str
    env: Mapping[str, str]
    autoscaling: Autoscaling
    service_monitor: ServiceMonitor | None


@dataclass(frozen=True, slots=True)
class Contract:
    """A contract without problems.

    Attributes:
        classified: Why the node has its type; empty where the contract says the type.
        features: Canonical words, aliases resolved.
        database: None when the contract says nothing about the database; the same for the other integrations.
        integrations_off: The integrations whose detection it turns off.
    """

    name: str
    node_type: str
    classified: tuple[str, ...]
    version: str
    package: str
    description: str
    domain: str
    features: tuple[str, ...]
    dependencies: Mapping[str, str]
    enums: tuple[EnumType, ...]
    models: tuple[Model, ...]
    operations: tuple[Operation, ...]
    database: DatabaseIntegration | None
    api_client: ApiClient | None
    kafka: KafkaIntegration | None
    redis: RedisIntegration | None
    filesystem: FilesystemIntegration | None
    consul: Consul | None
    integrations_off: tuple[str, ...]
    retry: Retry | None
    circuit_breaker: CircuitBreaker | None
    transactions: Transactions | None
    dead_letter_queue: DeadLetterQueue | None
    security: SecurityValidation | None
    observability: Observability
    rate_limiting: RateLimiting | None
    caching: Caching | None
    consumed_events: tuple[ConsumedEvent, ...]
    mixins: tuple[Mixin, ...]
    fsm: Fsm | None
    state_store: StateStore | None
    run_store: StateStore | None
    service: Service
    deployment: Deployment
    template_variant: str | None
    validation_level: str
    layout: str
    runtime: str


def spell_out(spec: str | Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the long form of a field; its type is text, or there is none, whatever the contract says."""
    if isinstance(spec, str):
        return {"type": spec}
    return spec if isinstance(spec.get("type", ""), str) else {**spec, "type": ""}


def build(raw: Mapping[str, Any]) -> Contract:
    """Return the typed contract for a document that has no problems.

    Args:
        raw: The document.

    Returns:
        The contract.
    """
    enums = tuple(_enum(name, spec) for name, spec in raw.get("enums", {}).items())
    enum_names = frozenset(item.name for item in enums)
    advanced = raw.get("advanced_features", raw.get("error_handling", {}))
    integrations = raw.get("integrations", {})
    service = raw.get("service", {})
    subcontracts = raw.get("subcontracts", {})
    events = subcontracts.get("event_type", {})
    published = {spec["operation"]: spec["event"] for spec in events.get("published_events", ())}
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
            Model(name, fields(spec["fields"], enum_names), spec.get("description", ""))
            for name, spec in raw.get("models", {}).items()
        ),
        operations=tuple(
            _operation(spec, enum_names, published, has_fsm="fsm" in subcontracts) for spec in raw["operations"]
        ),
        database=_database_integration(integrations.get("database")),
        api_client=_settings(ApiClient, integrations.get("api_client")),
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
            ConsumedEvent(spec["event"], spec["operation"]) for spec in events.get("consumed_events", ())
        ),
        mixins=tuple(
            Mixin(spec["name"], spec.get("enabled", True), dict(spec.get("config", {})))
            for spec in raw.get("mixins", ())
            if mixins.CATALOGUE[spec["name"]].status == "composes"
        ),
        fsm=build_fsm(subcontracts.get("fsm")),
        state_store=build_store(subcontracts, raw["name"]),
        run_store=_run_store(subcontracts, raw),
        service=Service(
            port=service.get("port", DEFAULT_PORT),
            host=service.get("host", DEFAULT_HOST),
            tags=tuple(service.get("tags", ())),
            enabled=service.get("enabled", True),
        ),
        deployment=_deployment(raw.get("deployment", {}), _scrape_seconds(advanced)),
        template_variant=raw.get("template_variant"),
        validation_level=raw.get("validation_level", "standard"),
        runtime=raw.get("runtime", "copy"),
        layout=raw.get("layout", "project"),
    )


def fields(specs: Mapping[str, Any] | None, enum_names: frozenset[str]) -> tuple[Field, ...]:
    """Return typed fields.

    Args:
        specs: Field by name.
        enum_names: The contract's enums; any other name that is no base type is a model's.

    Returns:
        The fields, in order.
    """
    return tuple(_field(name, spec, enum_names) for name, spec in (specs or {}).items())


def _field(name: str, spec: str | Mapping[str, Any], enum_names: frozenset[str]) -> Field:
    long = spell_out(spec)
    kind = long["type"]
    reference = None if kind in BASE_TYPES else kind
    if reference:
        kind = "enum" if reference in enum_names else "model"
    own = ("type", "items", "default", "required", "description")
    return Field(
        name=name,
        kind=kind,
        reference=reference,
        items=_field("item", long["items"], enum_names) if "items" in long else None,
        constraints={key: value for key, value in long.items() if key not in own},
        default=long.get("default", MISSING),
        required=long.get("required", True),
        description=long.get("description", ""),
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
    spec: Mapping[str, Any], enum_names: frozenset[str], published: Mapping[str, str], *, has_fsm: bool
) -> Operation:
    database = spec.get("database")
    announced = None if "kafka" in spec else published.get(spec["name"])
    target = spec.get("target")
    return Operation(
        name=spec["name"],
        description=spec.get("description", ""),
        input=fields(spec.get("input"), enum_names),
        output=fields(spec.get("output"), enum_names),
        database=_database(database) if database else None,
        http=_http(spec["http"]) if "http" in spec else None,
        kafka=_kafka(spec["kafka"]) if "kafka" in spec else None,
        redis=_redis(spec["redis"]) if "redis" in spec else None,
        filesystem=_filesystem(spec["filesystem"]) if "filesystem" in spec else None,
        compute={name: source(text) for name, text in spec["compute"].items()} if "compute" in spec else None,
        aggregate=build_aggregate(spec.get("aggregate")),
        by_state_machine=has_fsm and is_moved(spec),
        workflow=build_workflow(spec.get("workflow"), spec.get("timeout_seconds")),
        publishes=spec.get("publishes", announced),
        schedule_seconds=spec["schedule"]["every_seconds"] if "schedule" in spec else None,
        examples=tuple(
            Example(example["input"], example["output"], example.get("description", ""))
            for example in spec.get("examples", ())
        ),
        target=Target(target.get("p95_ms"), target.get("per_second")) if target else None,
        timeout_seconds=spec.get("timeout_seconds"),
        idempotent=spec.get("idempotent"),
        retry=_retry(spec.get("retry")),
    )


def _database(spec: Mapping[str, Any]) -> Database:
    query = spec["query"]
    returns = spec.get("returns", {})
    return Database(
        query=query,
        parameters=tuple(spec.get("parameters", ())),
        returns=Returns(
            rows=returns.get("rows") or ("one" if sql.returns_rows(query) else "none"),
            into=returns.get("into"),
            found=returns.get("found"),
            count=returns.get("count"),
        ),
        transaction=spec.get("transaction", True),
        asks_for_transaction=spec.get("transaction", False),
        reads_only=sql.reads_only(query),
    )


def _http(spec: Mapping[str, Any]) -> Http:
    return Http(
        method=spec["method"],
        path=spec["path"],
        query=dict(spec.get("query", {})),
        headers=dict(spec.get("headers", {})),
        body=spec.get("body", MISSING),
        omit_null=spec.get("omit_null", False),
        success=tuple(spec.get("success", ())),
        extract=dict(spec.get("extract", {})),
    )


def _kafka(spec: Mapping[str, Any]) -> Kafka:
    return Kafka(spec["topic"], spec.get("key"), spec.get("payload", MISSING), dict(spec.get("headers", {})))


def _redis(spec: Mapping[str, Any]) -> Redis:
    returns = spec.get("returns", {})
    into = returns.get("into")
    return Redis(
        command=spec["command"],
        key=spec["key"],
        field=spec.get("field"),
        value=spec.get("value", MISSING),
        amount=spec.get("amount"),
        ttl_seconds=spec.get("ttl_seconds"),
        into=into if isinstance(into, str) else None,
        into_keys=tuple(into) if isinstance(into, list) else (),
        found=returns.get("found"),
        count=returns.get("count"),
        returns=bool(returns),
    )


def _filesystem(spec: Mapping[str, Any]) -> Filesystem:
    returns = spec.get("returns", {})
    return Filesystem(
        action=spec["action"],
        path=spec["path"],
        content=spec.get("content", MISSING),
        into=returns.get("into"),
        found=returns.get("found"),
    )


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


def build_security(spec: Mapping[str, Any] | None) -> SecurityValidation | None:
    """Return what inputs and logs are checked for; None for nothing."""
    if spec is None:
        return None
    settings: dict[str, Any] = {key: tuple(value) if isinstance(value, list) else value for key, value in spec.items()}
    security = SecurityValidation(**settings)
    return security if security.enabled else None


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


def _deployment(spec: Mapping[str, Any], scrape_seconds: int) -> Deployment:
    resources = spec.get("resources", {})
    return Deployment(
        replicas=spec.get("replicas"),
        requests=_amounts(resources.get("requests", {})),
        limits=_amounts(resources.get("limits", {})),
        image=spec.get("image", ""),
        namespace=spec.get("namespace", ""),
        env={name: environment_text(value) for name, value in spec.get("env", {}).items()},
        autoscaling=Autoscaling(**spec.get("autoscaling", {})),
        service_monitor=_service_monitor(spec.get("service_monitor", False), scrape_seconds),
    )


def environment_text(value: str | float) -> str:
    """Return the text of an environment variable for a value of YAML, booleans as settings read them."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _amounts(spec: Mapping[str, str | float]) -> Amounts:
    return Amounts(**{name: f"{value:f}" if isinstance(value, float) else str(value) for name, value in spec.items()})


def _service_monitor(spec: Mapping[str, Any] | bool, seconds: int) -> ServiceMonitor | None:
    settings: Mapping[str, Any] = {"enabled": spec} if isinstance(spec, bool) else spec
    if not settings.get("enabled", True):
        return None
    return ServiceMonitor(settings.get("interval_seconds", seconds), dict(settings.get("labels", {})))
