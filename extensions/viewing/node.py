"""What templates are handed: plain values, worked out once from a contract and the decisions about it."""

from functools import cached_property

from ..deciding import monitoring
from ..deciding import security as security_deciding
from ..deciding.monitoring import HealthView, MetricsView
from ..language.callers import Auth
from ..language.contract import MISSING
from ..language.references import references
from . import asyncapi, features, openapi, runtime, watching
from . import environments as environments_viewing
from . import workflow_imports as workflow_imports_viewing
from .deploy import DeployView, Needs, consul_service, deploy_view
from .events import NodeEvents
from .fields import Symbol
from .imports import Imports
from .integrations import HttpView
from .left_out import left_out
from .operation import OperationView
from .packages import Packages
from .readme import Readme
from .runtime_settings import NodeSettingsView, settings_of
from .settings import SettingView, out_of_bounds
from .settings import fields as setting_fields


class NodeView(NodeEvents):
    """The node: all that templates ask for. Symbols are pairs of module and name."""

    @property
    def imports(self) -> Imports:
        """What its modules and tests import."""
        return Imports(self)

    @property
    def openapi(self) -> str:
        """The service's interface as an OpenAPI document."""
        return openapi.document(self)

    @property
    def asyncapi(self) -> str:
        """What the node publishes and consumes as an AsyncAPI document."""
        return asyncapi.document(self)

    @property
    def documents(self) -> tuple[str, ...]:
        """The names of the documents of its interface that the service has."""
        service = self.contract.service
        told = {"openapi": service.openapi, "asyncapi": service.asyncapi}
        return tuple(f"{name}.json" for name, there in told.items() if there)

    @cached_property
    def packages(self) -> Packages:
        """The distributions that it needs."""
        return Packages(self)

    @cached_property
    def setting_fields(self) -> tuple[SettingView, ...]:
        """The settings."""
        return setting_fields(self)

    @property
    def bad_settings(self) -> tuple[tuple[str, str], ...]:
        """Environment variables of the node's own settings with values just out of bounds."""
        own = (
            ("SERVICE_PORT", "70000"),
            *(pair for setting in self.settings_class.own for pair in out_of_bounds(setting)),
        )
        return tuple(dict(own).items())

    @property
    def settings_class(self) -> NodeSettingsView:
        """What the class of its settings is made of."""
        return settings_of(self.setting_fields)

    @cached_property
    def runtime_modules(self) -> tuple[str, ...]:
        """The modules of it that the node holds a copy of."""
        return runtime.modules(self)

    @property
    def doubles(self) -> tuple[str, ...]:
        """The modules of the tests that stand in for what the node talks to."""
        return runtime.doubles(self)

    @property
    def left_out(self) -> tuple[str, ...]:
        """Patterns of the files that the node does without."""
        return left_out(self)

    @property
    def tests_servers(self) -> bool:
        """Whether tests run the node together with what it talks to, or with what keeps its state."""
        servers = self.database or self.apis or self.kafka or self.redis or self.consul
        return bool(servers or self.tests_states or self.cache_tested)

    @property
    def project_needs(self) -> dict[str, object]:
        """What the node needs in a project that is there, for its manifest."""
        return {
            "package": self.package_path,
            "module": self.module,
            "requirements": self.packages.requirements,
            "dev_requirements": self.packages.dev_requirements,
            "untyped": self.packages.untyped,
        }

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

    @cached_property
    def deploy(self) -> DeployView:
        """How the node is deployed."""
        needs = Needs(self.to_be_given, frozenset(view.setting for view in self.environment.all))
        return deploy_view(self.contract, self.setting_fields, self.places, needs, has_metrics=self.has_metrics_mixin)

    @property
    def environments(self) -> tuple[environments_viewing.EnvironmentView, ...]:
        """Where it is deployed."""
        return environments_viewing.environments(self)

    @property
    def configuration_checksum(self) -> str:
        """A digest of the settings that it is deployed with."""
        return environments_viewing.checksum({variable.name: variable.value for variable in self.deploy.configuration})

    @property
    def image_tag(self) -> str:
        """What the image is called where it is built: digests come of that."""
        return self.deploy.image.partition("@")[0]

    @property
    def egress(self) -> tuple[int, ...]:
        """The ports that it reaches; none where nobody can know."""
        return environments_viewing.egress(self)

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
        redis, kafka = self.contract.redis, self.contract.kafka
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
        clients = self.contract.clients
        found |= {api.base_url.setting for api in self.apis if not clients[api.key].base_url}
        if self.redis and not (redis and redis.url):
            found.add(self.redis.url.setting)
        if self.kafka and not (kafka and kafka.bootstrap_servers):
            found.add(self.kafka.servers.setting)
        return frozenset(found)

    @property
    def service_manifest(self) -> dict[str, object]:
        """What `consul services register` takes; empty where the node does not register."""
        service = self.contract.service
        meta = {"node": self.full_name, "version": self.version}
        return consul_service(self.consul, service, service.tags, meta) if self.consul else {}

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
            "cache_hit_total": self.caching or self.cached,
            "cache_miss_total": self.caching or self.cached,
            "cache_failure_total": self.cached,
            "cache_hit_ratio": self.caching,
        } | {f"operation_{name}_total": True for name in metrics.counted}
        return tuple(f"{metrics.prefix}_{name}" for name, measured in wanted.items() if measured)

    @property
    def counters(self) -> list[watching.Counter]:
        """The counters that begin at zero beside those of the handler, each with the values of its tags."""
        return list(watching.counters(self)) if self.has_metrics_mixin else []

    @property
    def further_counters(self) -> tuple[str, ...]:
        """The counters that each operation has beside those of the handler."""
        return watching.further_counters(self)

    @property
    def begins_counters(self) -> bool:
        """Whether counters begin at zero beside those of the handler."""
        return self.has_metrics_mixin and bool(self.counters or self.further_counters)

    @property
    def alerts(self) -> tuple[watching.AlertView, ...]:
        """The alerts for Prometheus."""
        return watching.alerts(self)

    @property
    def dashboard(self) -> str:
        """The dashboard for Grafana, as JSON."""
        return watching.dashboard(self)

    @property
    def runs_locally(self) -> bool:
        """Whether a local run starts servers, for the node or for those that it calls."""
        return bool(self.adapters or self.peers)

    @property
    def workflow_imports(self) -> workflow_imports_viewing.Imports:
        """What the modules of workflows import of the node's own package."""
        return workflow_imports_viewing.Imports(self)

    def variable(self, setting: str) -> str:
        """Return the environment variable of a setting."""
        return next(field.variable for field in self.setting_fields if field.name == setting)

    @property
    def made_up(self) -> tuple[str, ...]:
        """The environment variables without a default that requests to the outside need, none of them a place."""
        needs = {name for op in self.operations if op.calls for name in op.calls.needs}
        needs.update(name for api in self.apis for name in api.header_needs)
        places = set(self.api_places)
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
        local_api = "a local API that gives samples of what operations take from it"
        known = (
            (self.database and "database_url", "an embedded PostgreSQL, empty but for the migrations"),
            (self.redis and self.redis.url.setting, "an embedded Redis, empty"),
            (self.kafka and self.kafka.servers.setting, "the mock cluster of librdkafka, in memory"),
            *((api.base_url.setting, local_api) for api in self.apis),
            (self.files and self.files.root.setting, "an empty folder, deleted at the end"),
        )
        return tuple((self.variable(setting), what) for setting, what in known if setting)

    @property
    def required_settings(self) -> bool:
        """Whether something asks for a setting that may be missing."""
        return bool(self.environment.all or self.apis or self.redis or self.kafka or self.files)

    @property
    def renamed_settings(self) -> bool:
        """Whether a setting has another name than its environment variable."""
        return any(setting.name.upper() != setting.variable for setting in self.setting_fields)

    @property
    def secret_settings(self) -> tuple[SettingView, ...]:
        """The settings that hold secrets which may be any text."""
        return tuple(
            setting
            for setting in self.setting_fields
            if setting.type.startswith("SecretStr") and setting.name != "service_api_keys"
        )

    @property
    def scoped(self) -> tuple[OperationView, ...]:
        """The operations that callers need scopes for."""
        return tuple(operation for operation in self.operations if operation.scopes)

    @property
    def all_scopes(self) -> tuple[str, ...]:
        """Every scope that something of the service needs, sorted."""
        needed = {scope for operation in self.operations for scope in operation.scopes}
        return tuple(sorted(needed | set((self.auth and self.auth.metrics_scopes) or ())))

    @property
    def credentials_header(self) -> str:
        """The header in which tests say who they are."""
        keys = self.auth and not self.auth.bearer and self.auth.api_keys
        return keys.header if keys else "Authorization"

    @property
    def auth(self) -> Auth | None:
        """How callers of the service say who they are; None where nobody asks them."""
        return self.contract.service.auth

    @property
    def writes_json(self) -> bool:
        """Whether values leave the node as JSON otherwise than in its answers."""
        sides = (self.apis, self.kafka, self.redis, self.files, self.workflows, self.text_helpers)
        return any(sides)

    @property
    def readme(self) -> Readme:
        """What the README says of the integrations."""
        return Readme(self)

    @property
    def api_places(self) -> tuple[str, ...]:
        """The settings that say where HTTP APIs are."""
        return tuple(dict.fromkeys(api.base_url.setting for api in self.apis))

    def secret_of(self, api: HttpView) -> str:
        """Return a secret that every request to an API is made of; empty for none."""
        return next((v.setting for v in self.environment.all if v.secret and v.setting in api.header_needs), "")

    def environment_values(self, *but: str) -> tuple[tuple[str, str], ...]:
        """Return a value for each environment variable and secret of the contract but some, by its setting."""
        words = {True: "hidden-word-{}", False: "plain-{}"}
        found = (variable for variable in self.environment.all if variable.setting not in but)
        return tuple((variable.setting, words[variable.secret].format(variable.setting)) for variable in found)

    @property
    def patience(self) -> tuple[str, ...]:
        """The settings of how long others may take, who take their time on a machine that does more than run tests."""
        named = (setting.name for setting in self.setting_fields if setting.name.endswith("timeout_seconds"))
        # An event that can't be delivered is what tests wait for.
        return tuple(name for name in named if name != "kafka_publish_timeout_seconds")

    @property
    def fakes(self) -> tuple[Symbol, ...]:
        """The stand-in for the database in unit tests."""
        return (("tests.fakes", "FakePool"),) if self.database else ()

    @property
    def adapter_symbols(self) -> tuple[Symbol, ...]:
        """The classes of its adapters."""
        return tuple(adapter.symbol for adapter in self.adapters)

    @property
    def asserting_doubles(self) -> tuple[str, ...]:
        """The modules of its tests, the same in every node, that hold tests, as pytest imports them."""
        return tuple(f"{self.place.tests.replace('/', '.')}.{name}" for name in ("declared", "deployed", "lived"))

    @property
    def worlds(self) -> tuple[Symbol, ...]:
        """The stand-in for all adapters in unit tests."""
        return (("tests.world", "FakeWorld"),)

    @property
    def echoes(self) -> tuple[Symbol, ...]:
        """The stand-in for the handler in unit tests."""
        return (("tests.echo", "Echo"),)

    @property
    def lives(self) -> tuple[str, ...]:
        """The classes of tests of its life, the same in every node, that fit it."""
        inputs = {"effect": "TakesEffects", "compute": "TakesComputations", "reducer": "TakesReductions"}
        taken = inputs.get(self.node_type)
        calling = ("CallsOthers",) if self.adapters else ()
        to_bus = ("PublishesEvents",) if self.publishing and self.uses_bus else ()
        return ("Lived", *calling, *to_bus, *((taken,) if taken else ()))

    @property
    def entry(self) -> Symbol:
        """The function that the node's command calls."""
        return self.own("command" if self.command_line else "service", "main")

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
    def bases(self) -> tuple[str, ...]:
        """The base classes of the node class."""
        name = f"{self.base.name}[Any, Any]" if self.is_generic else self.base.name
        return name, *self.base.mixins

    @property
    def bases_comment(self) -> str:
        """What has to be said where the bases are named: mypy compares all of a class's bases when it has several."""
        if self.base.name in {"ModelServiceEffect", "ModelServiceOrchestrator"}:
            return "# type: ignore[misc]  # mixins of omnibase_core differ in two private methods"
        return ""

    @property
    def running_class(self) -> str:
        """The runtime's class that the lifecycle derives from."""
        return f"Running{self.node_type.capitalize()}"

    @property
    def adapters_type(self) -> str:
        """Code of the type of its adapters."""
        return "Adapters" if self.adapters else "None"

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
