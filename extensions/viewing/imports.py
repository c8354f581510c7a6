"""What the modules and tests of a node import."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..language import names
from ..language.mixins import CATALOGUE
from . import aggregation
from .caches import functions
from .fields import Symbol
from .operation import OperationView

if TYPE_CHECKING:
    from .node import NodeView
    from .operation import OperationView
    from .types import EventView


@dataclass(frozen=True, slots=True)
class Imports:
    """What modules and tests import, each by its subject. Symbols are pairs of module and name.

    Attributes:
        node: The node.
    """

    node: NodeView

    def computation_test(self, operation: OperationView) -> tuple[Symbol, ...]:
        """Return what the test of a computation imports of the node's own package, under short names."""
        view = operation.computation
        if view is None:
            return ()
        symbols = [
            (f"{self.node.module}.computations", f"{view.module} as computation"),
            self.node.own("computations.outcome", "NO_RESULT"),
            (operation.handler[0], f"{operation.handler[1]} as Handler"),
            (operation.input.symbol[0], f"{operation.input.name} as Input"),
            (operation.output.symbol[0], f"{operation.output.name} as Output"),
            ("tests.purity", "run"),
            ("tests.purity", "watched"),
            *view.strategy_imports,
        ]
        if self.node.caching:
            symbols.append(self.node.own("result_cache", "ResultCache"))
        return (*symbols, *self._through_node)

    @property
    def _through_node(self) -> tuple[Symbol, ...]:
        handler = (self.node.handler[0], f"{self.node.handler[1]} as NodeHandler")
        pool = (self.node.own("compute_pool", "COMPUTE_POOL"),) if self.node.pooled else ()
        return handler, self._operation, *self._short("Request"), *self._short("Settings"), *pool

    def aggregation_test(self, operation: OperationView) -> tuple[Symbol, ...]:
        """Return what the test of an aggregation imports of the node's own package, under short names."""
        view = operation.reduction
        if not isinstance(view, aggregation.AggregateView):
            return ()
        module = f"aggregation_{operation.name}"
        symbols = [
            self.node.own(f"aggregations.{module}", "FOLDING" if view.kept else f"{view.partial} as Partial"),
            (view.event[0], f"{view.event[1]} as Event"),
            (view.window[0], f"{view.window[1]} as Window"),
            *view.strategy_imports,
            self.node.own("aggregations.packing", "packed"),
            *((self.node.own("aggregations.moments", "in_utc"),) if "in_utc(" in view.plain_code else ()),
        ]
        if view.kept:
            symbols += [
                self.node.own("aggregations.keeping", "KeptFigures"),
                self.node.own("aggregations.store_memory", "FigureStoreMemory"),
            ]
        elif operation.sample is not None:
            symbols += [
                *self._through_node,
                (f"{self.node.module}.aggregations", f"{module} as aggregation"),
                (f"{self.node.module}.handlers", f"{operation.file} as handler"),
                (operation.handler[0], f"{operation.handler[1]} as Handler"),
                (operation.input.symbol[0], f"{operation.input.name} as Input"),
                ("tests.purity", "run"),
                ("tests.purity", "watched"),
            ]
        if operation.examples and not view.kept:
            symbols.append((operation.output.symbol[0], f"{operation.output.name} as Output"))
        return tuple(symbols)

    @property
    def throughput(self) -> tuple[Symbol, ...]:
        """What the measurement of throughput imports of the standard library."""
        moments = ("UTC", "datetime", "timedelta") if "MOMENT" in self.node.throughput_code else ()
        uuid = (("uuid", "UUID"),) if "UUID(" in self.node.throughput_code else ()
        return (("collections.abc", "Callable"), *(("datetime", name) for name in moments), *uuid, ("typing", "Any"))

    @property
    def throughput_own(self) -> tuple[Symbol, ...]:
        """What the measurement of throughput imports of the node's own package."""
        return tuple(symbol for op in self.node.throughput for symbol in (op.handler, op.input.symbol))

    @property
    def fsm_test(self) -> tuple[Symbol, ...]:
        """What the tests of states import of the node's own package."""
        if self.node.fsm is None:
            return ()
        symbols = [self.node.own("states.move", name) for name in ("Entity", "Move", "Snapshot", "StateStore")]
        symbols += [self.node.own("states.machine", "Transition"), self.node.own("states.entities", "Entities")]
        symbols += [self.node.fsm.store, (self.node.fsm.state[0], f"{self.node.fsm.state[1]} as State")]
        symbols += [self.node.own("state.state_machine", name) for name in ("MACHINE", "Moving")]
        symbols += [(self.node.fsm.inputs[0][0], f"{self.node.fsm.inputs[0][1]} as Input")]
        if self.node.fsm.answers:
            short = {"Handler": self.node.handler, "Operation": self.node.operation_enum, "Request": self.node.request}
            symbols += [(module, f"{name} as {alias}") for alias, (module, name) in short.items()]
        if self.node.fsm.backend != "memory":
            symbols.append((self.node.settings[0], f"{self.node.settings[1]} as Settings"))
            symbols.append(self.node.own("adapters.adapters", "Adapters"))
        return tuple(symbols)

    @property
    def migration(self) -> tuple[Symbol, ...]:
        """What the module of the migrations imports of the node's own package."""
        return (
            self.node.own("adapters.migrating", "Migration"),
            self.node.own("adapters.migrating", "directory"),
        )

    @property
    def run(self) -> tuple[Symbol, ...]:
        """What a local run imports of the project."""
        known = {
            "servers": (self.node.database, ("embedded_postgres",)),
            "redis_server": (self.node.redis, ("embedded_redis",)),
            "kafka_server": (self.node.kafka, ("embedded_kafka",)),
            "http_server": (
                self.node.apis,
                ("LocalApi", "share_local_api", *(("Answer", "Route") if self.node.api_routes else ())),
            ),
        }
        servers = [(f"tests.{module}", name) for module, (has, names_of) in known.items() if has for name in names_of]
        servers += [("tests.peers_local", "start_servers_of")] if self.node.peers else []
        return (self.node.own("service", "main"), *servers)

    @property
    def selection(self) -> tuple[Symbol, ...]:
        """What the choice of events needs of the node's own package: inputs, and enums in conditions."""
        named = {names.enum_class(name) for event in self.node.selecting for name in event.enums}
        inputs = [self.node.own(*event.input) for event in self.node.selecting]
        return (*inputs, *(enum.symbol for enum in self.node.enums if enum.name in named))

    def _traces(self, *functions: str) -> tuple[Symbol, ...]:
        return tuple(self.node.own("tracing", name) for name in functions) if self.node.tracing else ()

    @property
    def contract_test(self) -> tuple[Symbol, ...]:
        """What the contract's tests import of the node's own package."""
        sides = (side.symbol for operation in self.node.exemplified for side in (operation.input, operation.output))
        own = (self.node.operation_enum, self.node.request, self.node.response)
        return (*own, *sides, ("tests.declared", "Declared"))

    @property
    def integration(self) -> tuple[Symbol, ...]:
        """What the operations' integration tests import."""
        shorts = ("Node", "Request", "Response", "Settings") if self.node.sql_sampled else ("Node",)
        symbols = [symbol for short in shorts for symbol in self._short(short)]
        symbols += [self._operation] if self.node.sql_sampled else []
        symbols += [(operation.handler[0].rpartition(".")[0], operation.file) for operation in self.node.sql_operations]
        symbols += [operation.output.symbol for operation in self.node.sql_sampled]
        asked = ["prepared", *(("connections_of", "is_refusal", "is_turned_away") if self.node.sql_sampled else ())]
        symbols += [("tests.asked", name) for name in (*asked, *(("rows_in",) if self.node.keyed_sampled else ()))]
        if self.node.keyed_sampled:
            keyed = self.node.own("idempotency.keyed", "KEYED")
            symbols += [
                (keyed[0], "KEYED as KEYED_REQUEST"),
                (keyed[0], "KeyedRequest"),
                self.node.own("service", "KEYED"),
            ]
        symbols += [] if self.node.brings_tables else [("tests.integration.conftest", "is_external")]
        return tuple(symbols)

    @property
    def file_operation(self) -> tuple[Symbol, ...]:
        """What the tests of operations on files import."""
        return (*self._asked, self.node.settings)

    @property
    def _asked(self) -> tuple[Symbol, ...]:
        return (self.node.handler, self.node.operation_enum, self.node.request, self.node.response)

    @property
    def performance(self) -> tuple[Symbol, ...]:
        """What the performance tests import."""
        own = (*self._short("Node"), *self._short("Request"), *self._short("Settings"), self._operation)
        servers = (("tests.servers", "postgres_url"),) if self.node.database else ()
        return (*own, *servers, ("tests.measured", "Measured"))

    def custom_test(self, operation: OperationView) -> tuple[Symbol, ...]:
        """Return what the ready-made test of a custom handler imports of the node's own package."""
        symbols = [self.node.handler, self.node.operation_enum, operation.handler]
        if operation.sample is not None:
            symbols += [operation.input.symbol, operation.output.symbol]
        if self.node.adapters:
            symbols += [self.node.settings, self.node.own("adapters.adapters", "Adapters")]
        symbols += [self.node.settings] if operation.settings else []
        return tuple(symbols)

    @property
    def unit(self) -> tuple[Symbol, ...]:
        """What unit tests of the adapter import of the node's own package."""
        adapters = (self.node.own("adapters.adapters", "Adapters"),) if self.node.database else ()
        adapter = (self.node.own("adapters.adapter_postgres", "AdapterPostgres"),) if self.node.database else ()
        return self.node.settings, *adapters, *adapter

    @property
    def migration_test(self) -> tuple[Symbol, ...]:
        """What the test of migrations imports."""
        node = self.node
        own = (node.own("adapters.migrating", "MIGRATIONS_TABLE"), node.own("adapters.migrations", "MIGRATIONS"))
        asked = (("tests.asked", name) for name in ("connected", "empty_database"))
        return (*own, *asked, node.settings, node.own("adapters.adapters", "Adapters"))

    @property
    def handler_test(self) -> tuple[Symbol, ...]:
        """What the handlers' tests import of the node's own package."""
        short = [symbol for symbol in self._short_names() if not symbol[1].endswith((" as Node", " as Response"))]
        symbols = [*short, self._operation, *((("tests.fakes", "FakeBus"),) if self.node.counts_events else ())]
        symbols += [operation.output.symbol for operation in self.node.handler_tested]
        return tuple(symbols)

    @property
    def transaction_test(self) -> tuple[Symbol, ...]:
        """What the tests of transactions import of the node's own package."""
        symbols = [self.node.own("adapters.adapter_postgres", "AdapterPostgres")]
        for operation in self.node.transactions_tested:
            symbols += [operation.handler, operation.input.symbol, operation.returned]
        return tuple(symbols)

    @property
    def state_machine_test(self) -> tuple[Symbol, ...]:
        """What the tests of the state machine import of the node's own package."""
        if self.node.fsm is None:
            return ()
        state = (self.node.fsm.state[0], f"{self.node.fsm.state[1]} as State")
        short = [symbol for symbol in self._short_names() if not symbol[1].endswith((" as Node", " as Response"))]
        machine = self.node.own("state.state_machine", "MACHINE")
        return (state, machine, *short, self._operation, *self.node.fakes)

    @property
    def node_test(self) -> tuple[Symbol, ...]:
        """What the node's tests import of the node's own package, under the short names of the tests."""
        more = self.node.aggregations.intend or self.node.run_store
        short = self._short_names() if more else (*self._short("Node"), *self._short("Request"))
        worlds = self.node.worlds if self.node.run_store else ()
        return (self.node.operation_enum, *short, *worlds, *(("tests.lived", name) for name in self.node.lives))

    @property
    def _operation(self) -> Symbol:
        return (self.node.operation_enum[0], f"{self.node.operation_enum[1]} as Operation")

    def _short(self, short: str) -> tuple[Symbol, ...]:
        return tuple(symbol for symbol in self._short_names() if symbol[1].endswith(f" as {short}"))

    @property
    def service_test(self) -> tuple[Symbol, ...]:
        """What the service's tests import of the node's own package, under the short names of the tests."""
        apart = (
            (self.node.own("serving.application", "metrics_served"), self.node.own("serving.measured", "metrics_of"))
            if self.node.metrics_port is not None
            else ()
        )
        told = (self._operation,) if self.node.contract.service.openapi or self.node.auth or self.node.scheduled else ()
        built = self.node.own("service", "build_app")
        return (*self._short_names(), (self.node.module, "service"), built, *apart, *told)

    @property
    def callers_test(self) -> tuple[Symbol, ...]:
        """What the service's tests import of those who call it."""
        auth = self.node.auth
        if auth is None:
            return ()
        names_of = ["ABLE", "OTHER", *(("BAD_TOKENS",) if auth.bearer else ())]
        return self.callers(*names_of, *(("KEY",) if auth.bearer and auth.api_keys else ()))

    @property
    def issuer(self) -> tuple[Symbol, ...]:
        """What tests of callers import of the issuer that they play."""
        names_of = ("Issuer", "bad_tokens") if self.node.auth and self.node.auth.bearer else ()
        return tuple(("tests.issuer", name) for name in names_of)

    @property
    def callers_settings(self) -> tuple[Symbol, ...]:
        """What the settings of unit tests are made of, of those who call the service."""
        auth = self.node.auth
        known = {"API_KEYS": auth and auth.api_keys, "ISSUER": auth and auth.bearer}
        return self.callers(*(name for name, has in known.items() if has))

    def callers(self, *names_of: str) -> tuple[Symbol, ...]:
        """Return what tests import of those who call the service; nothing where nobody asks who they are."""
        return tuple(("tests.unit.callers", name) for name in names_of) if self.node.auth else ()

    @property
    def command(self) -> tuple[Symbol, ...]:
        """What the command line imports of the node's own package."""
        return self.node.node, self.node.own("service", "main as serve")

    @property
    def command_test(self) -> tuple[Symbol, ...]:
        """What the tests of the command line import of the node's own package."""
        short = [symbol for symbol in self._short_names() if not symbol[1].endswith((" as Node", " as Settings"))]
        return (*short, (self.node.module, "command"), self.node.own("command", "main"))

    @property
    def service_mode_test(self) -> tuple[Symbol, ...]:
        """What the tests of service mode import of the node's own package."""
        return (*self._short_names(), self.node.own("service_mode", "NODE_NAME"))

    @property
    def discovery_test(self) -> tuple[Symbol, ...]:
        """What the tests of service discovery import."""
        return (*self._hosted, ("tests.consul_agent", "consul_agent"))

    @property
    def tracing_test(self) -> tuple[Symbol, ...]:
        """What the tests of spans import."""
        short = [symbol for symbol in self._short_names() if not symbol[1].endswith(" as Response")]
        traces = ["operation_span", "incoming", *(("node_span",) if self.node.workflows else ())]
        symbols = [*short, *self._traces(*traces), self.node.own("operation", "Operation"), self.node.operation_enum]
        symbols.append(self.node.own("exporting", "provider_of"))
        symbols += [self.node.own("service", name) for name in ("build_app", "collector")]
        if self.node.apis:
            symbols += [self.node.own("adapters.adapter_http", "HttpCall"), ("tests.http_server", "local_api")]
        if self.node.kafka:
            symbols.append(self.node.own("adapters.adapter_kafka", "KafkaMessage"))
        if self.node.apis or self.node.kafka:
            symbols.append(self.node.own("adapters.adapters", "Adapters"))
        if self.node.consuming:
            symbols += [self.node.own("consumed", name) for name in ("OPERATIONS", "consumer")]
        if self.node.publishing:
            symbols.append(self.node.own("operation", "Event"))
        if self.node.workflows:
            symbols += [
                self.node.own("workflows.nodes_on_bus", "NodesOnBus"),
                self.node.own("workflows.peers", "PEERS"),
            ]
            symbols += [self.node.own("tracing", "outgoing"), self.node.own("workflows.spans", "NodeSpans")]
        return tuple(symbols)

    @property
    def security_test(self) -> tuple[Symbol, ...]:
        """What the tests of security validation import of the node's own package."""
        checks = self.node.security is not None and self.node.security.checks
        names_of = ("Handler", "Request", "Settings", *(("Node",) if checks else ()))
        symbols = [symbol for symbol in self._short_names() if symbol[1].endswith(tuple(f" as {n}" for n in names_of))]
        if self.node.security and self.node.security.forbidden_patterns:
            symbols.append(self.node.own("patterns", "LinearPattern"))
        symbols += [self.node.own("service", "build_app")] if checks else []
        operation = (
            [self.node.own("operation", "Operation")] if self.node.security and self.node.security.cleans else []
        )
        return (*symbols, *operation, self.node.operation_enum)

    @property
    def rate_limit_test(self) -> tuple[Symbol, ...]:
        """What the tests of the rate limit import of the node's own package."""
        short = [symbol for symbol in self._short_names() if not symbol[1].endswith(" as Response")]
        own = (
            self.node.own("operation", "Operation"),
            self.node.operation_enum,
            self.node.own("rate_limit", "RateLimit"),
        )
        return (*short, *own, self.node.own("service", "build_app"))

    @property
    def deploy_test(self) -> tuple[Symbol, ...]:
        """What the tests of the manifests import, the node's own under short names."""
        tested = ("DeployedContainers", "DeployedFiles", *(("DeployedForConsul",) if self.node.consul else ()))
        return (*self._hosted, *(("tests.deployed", name) for name in tested))

    @property
    def _hosted(self) -> tuple[Symbol, ...]:
        node, settings = self.node.node, self.node.settings
        short = ((node[0], f"{node[1]} as Node"), (settings[0], f"{settings[1]} as Settings"))
        return (
            *short,
            self.node.own("service", "build_app"),
            *((self.node.own("service", "SERVICE_FACTS"),) if self.node.consul else ()),
        )

    @property
    def watch_test(self) -> tuple[Symbol, ...]:
        """What the test of the dashboard imports of the node's own package, under short names."""
        node = self.node
        named = {
            "Node": node.node,
            "Settings": node.settings,
            "Request": node.request,
            "Operation": node.operation_enum,
        }
        short = tuple((module, f"{name} as {alias}") for alias, (module, name) in named.items())
        return (*short, node.own("serving.measured", "metrics_of"), ("tests.watched", "unshown"))

    def _short_names(self) -> tuple[Symbol, ...]:
        names = {
            "Handler": self.node.handler,
            "Node": self.node.node,
            "Request": self.node.request,
            "Response": self.node.response,
        }
        names["Settings"] = self.node.settings
        return tuple((module, f"{name} as {short}") for short, (module, name) in names.items())

    @property
    def node_core(self) -> tuple[Symbol, ...]:
        """What the node class is made of, from omnibase_core."""
        module = "omnibase_core.infrastructure.infra_bases" if self.node.base.service_mode else "omnibase_core.nodes"
        return (module, self.node.base.name), *((CATALOGUE[mixin].module, mixin) for mixin in self.node.base.mixins)

    @property
    def caches(self) -> tuple[Symbol, ...]:
        """What the module of the keys of kept results imports of the node's own package."""
        sides = [operation.input.symbol for operation in (*self.node.cached, *self.node.changing)]
        modules = {"key_of": "keys", "hashed": "caches.read_through"}
        used = functions(self.node.cache_codes)
        return (*sides, *(self.node.own(modules[name], name) for name in used))

    @property
    def cache_test(self) -> tuple[Symbol, ...]:
        """What the tests of kept results import."""
        symbols = [*self._asked, self.node.settings]
        for operation in self.node.cache_tested:
            symbols += [operation.handler, operation.returned]
            if operation.cache and operation.cache.place == "redis":
                symbols += [operation.input.symbol, (f"{self.node.module}.caches", operation.cache.function)]
        symbols += [("tests.redis_server", "redis_url")] if "redis" in self.node.cache_places else []
        return tuple(symbols)

    def _keyed_handler(self) -> list[Symbol]:
        keyed = self.node.keyed
        if not keyed:
            return []
        symbols = [self.node.own("idempotency.kept_answers", name) for name in ("Keeping", "KeptAnswers")]
        if any(operation.retry for operation in keyed):
            symbols.append(self.node.own("adapters.retry_policy", "RetryPolicy"))
        return [*symbols, *(operation.returned for operation in keyed)]

    def event(self, operation: OperationView, event: EventView) -> tuple[Symbol, ...]:
        """Return what the model of an event imports."""
        sides = [operation.input.symbol] if event.failed else [operation.input.symbol, operation.output.symbol]
        return (*sides, self.node.own(*event.base))

    @property
    def handler(self) -> tuple[Symbol, ...]:
        """What the node's handler imports of the node's own package."""
        symbols = [self.node.request, self.node.response, self.node.settings]
        symbols += [symbol for op in self.node.operations for symbol in (op.handler, op.input.symbol)]
        if self.node.adapters:
            symbols.append(self.node.own("adapters.adapters", "Adapters"))
        if self.node.fsm:
            symbols += [self.node.own("states.entities", "Entities"), self.node.own("state.state_machine", "MACHINE")]
            symbols.append(self.node.fsm.store)
        symbols += [symbol for op in self.node.followed if op.then for symbol in op.then.handler_imports]
        if self.node.caching:
            symbols.append(self.node.own("result_cache", "ResultCache"))
        if self.node.cached:
            symbols += [self.node.own("caches.read_through", name) for name in ("Kept", "ReadThrough")]
            for place in self.node.cache_places:
                symbols.append(self.node.own(f"caches.entries_{place}", f"Entries{place.capitalize()}"))
            symbols += [operation.output.symbol for operation in self.node.cached]
            symbols += [(f"{self.node.module}.caches", op.cache.function) for op in self.node.cached if op.cache]
            changed = (change.function for op in self.node.changing for change in op.changes)
            symbols += [(f"{self.node.module}.caches", function) for function in changed]
        symbols += self._keyed_handler()
        if self.node.pooled:
            symbols.append(self.node.own("compute_pool", "COMPUTE_POOL"))
        if self.node.figure_store:
            symbols.append(self.node.figure_store)
        if self.node.workflows:
            symbols += self.node.workflow_imports.handler
        if self.node.publishing or self.node.workflows:
            symbols.append(self.node.own("topics", "topic_of"))
        if self.node.tracing:
            symbols.append(self.node.own("tracing", "operation_span"))
        if self.node.publishing:
            symbols += [event.symbol for _, event in self.node.event_models]
            symbols += [self.node.own("models.secrets", "published")] if self.node.has_secrets else []
        return tuple(symbols)
