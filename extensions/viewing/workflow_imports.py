"""What the modules about workflows import."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from .fields import Symbol

if TYPE_CHECKING:
    from .node import NodeView
from .workflow import WorkflowView


class HasSymbol(Protocol):
    """The part of a type's view that is needed here."""

    @property
    def symbol(self) -> Symbol:
        """Its class."""


class HasWorkflow(Protocol):
    """The part of an operation's view that is needed here."""

    @property
    def workflow(self) -> WorkflowView | None:
        """Its workflow."""

    @property
    def handler(self) -> Symbol:
        """Its handler."""

    @property
    def input(self) -> HasSymbol:
        """Its input."""

    @property
    def output(self) -> HasSymbol:
        """Its output."""


@dataclass(frozen=True, slots=True)
class Imports:
    """What modules and tests of workflows import of the node's own package.

    Attributes:
        node: The node.
    """

    node: NodeView

    @property
    def engine(self) -> tuple[Symbol, ...]:
        """The engine's."""
        return (
            self.node.own("effects", "EFFECTS"),
            self.node.own("json_values", "json_values"),
            self._own("announcer", "Announce"),
            self._own("nodes", "Nodes"),
            *self._of("run", "Run", "StepRecord", "answered"),
            *self._of("step", "Call", "Step", "Workflow"),
        )

    @property
    def announcer(self) -> tuple[Symbol, ...]:
        """The announcer's."""
        return (
            self.node.own("handlers.operation", "Surroundings"),
            self.node.step_event,
            *self._of("run", "Run", "StepRecord"),
        )

    @property
    def connection(self) -> tuple[Symbol, ...]:
        """The connection's."""
        on_bus = self._of("nodes_on_bus", "NodesOnBus", "RequestBus")
        trace = (self.node.own("tracing", "node_span"),) if self.node.tracing else ()
        return (
            self._own("nodes", "Nodes"),
            self._own("nodes_in_process", "NodesInProcess"),
            self._own("peers", "PEERS"),
            *on_bus,
            *trace,
        )

    @property
    def on_bus(self) -> tuple[Symbol, ...]:
        """Those of what reaches nodes over the event bus."""
        trace = (self.node.own("tracing", "outgoing"),) if self.node.tracing else ()
        return self._own("peers", "PEERS"), *trace

    @property
    def store(self) -> tuple[Symbol, ...]:
        """The store's."""
        adapter = (self.node.run_adapter,) if self.node.shares_runs else ()
        return *adapter, *self._of("run", "Run", "load"), self._own("run_store", "Lease")

    @property
    def workflows(self) -> tuple[Symbol, ...]:
        """Those of what runs workflows."""
        stored = self._of("run_store", "Lease", "RunStore") if self.node.run_store else ()
        return (
            self.node.own("correlation", "CORRELATION_ID"),
            self._own("announcer", "Announce"),
            self._own("engine", "Engine"),
            self._own("nodes", "Nodes"),
            self._own("run", "Run"),
            self._own("step", "Workflow"),
            *stored,
        )

    @property
    def handler(self) -> tuple[Symbol, ...]:
        """Those of the node's handler."""
        symbols = [
            self._own("announcer", "Announcer"),
            self._own("connection", "Connection"),
            self._own("nodes", "Nodes"),
            self._own("nodes_on_bus", "RequestBus"),
            self._own("workflows", "Workflows"),
        ]
        if self.node.run_store:
            symbols.append(self._own(f"run_store_{self.node.run_store}", self.store_class))
            symbols += [
                (f"{self.node.module}.workflows", op.workflow.file) for op in self.node.workflows if op.workflow
            ]
        return tuple(symbols)

    @property
    def store_class(self) -> str:
        """The class of the store."""
        return f"RunStore{self.node.run_store.capitalize()}"

    @property
    def engine_tests(self) -> tuple[Symbol, ...]:
        """Those of the engine's tests."""
        return (
            self.node.own("effects", "EFFECTS"),
            self.node.own("effects", "Effects"),
            self._own("engine", "Engine"),
            *self._of("run", "Answer", "Run", "StepRecord", "answered", "failure", "load"),
            *self._of("step", "Call", "Retry", "Step", "Workflow"),
            *(("tests.unit.fake_nodes", name) for name in ("FakeNodes", "PERMANENT", "RUN_ID")),
        )

    @property
    def nodes_tests(self) -> tuple[Symbol, ...]:
        """Those of the tests of how nodes are reached."""
        return (
            self._own("connection", "Connection"),
            self._own("nodes_in_process", "NodesInProcess"),
            self._own("nodes_on_bus", "NodesOnBus"),
            self._own("peers", "PEERS"),
            (f"{self.node.module}.workflows", "nodes_in_process"),
        )

    @property
    def announcer_tests(self) -> tuple[Symbol, ...]:
        """Those of the announcer's tests."""
        return (
            self.node.own("handlers.operation", "Surroundings"),
            self._own("announcer", "Announcer"),
            self._own("announcer", "STEP_TOPIC"),
            *self._of("run", "Run", "StepRecord"),
            *((self.node.settings,) if self.node.security else ()),
        )

    @property
    def runs_tests(self) -> tuple[Symbol, ...]:
        """Those of the tests of runs that are kept."""
        return (
            self.node.own("correlation", "CORRELATION_ID"),
            *self._of("run", "Answer", "Run", "StepRecord", "load"),
            *self._of("run_store", "Lease"),
            *self._of("step", "Call", "Step", "Workflow"),
            *self._of("workflows", "LeaseLostError", "Workflows", "new_run"),
            *(("tests.unit.fake_nodes", name) for name in ("FakeNodes", "PERMANENT")),
            (self.test_store[0], "RunStoreMemory as Store" if self.node.run_store == "memory" else "Store"),
        )

    @property
    def overhead(self) -> tuple[Symbol, ...]:
        """Those of the measurement of what a step costs."""
        steps = self._of("step", "Call", "Step", "Workflow")
        return self._own("engine", "Engine"), *self._of("run", "Answer", "Run", "StepRecord"), *steps

    @property
    def resume_tests(self) -> tuple[Symbol, ...]:
        """Those of the test of processes that are killed."""
        symbols = [self._own("run_store", "Lease"), self._own(f"run_store_{self.node.run_store}", self.store_class)]
        symbols += self._of("run", "Answer", "Run", "StepRecord", "load")
        symbols += self._of("step", "Call", "Step", "Workflow")
        symbols += self._of("workflows", "Workflows", "new_run")
        symbols += [self.node.run_adapter, self.node.settings]
        if self.node.run_store == "redis":
            symbols.append(("tests.redis_server", "redis_url"))
        return *symbols, self.node.own("correlation", "CORRELATION_ID")

    @property
    def made_in_tests(self) -> str:
        """Code of what a handler's constructor takes in tests."""
        return (
            f"Workflows(nodes, tell, {self.test_store[1]}(), 30)" if self.node.run_store else "Workflows(nodes, tell)"
        )

    @property
    def test_store(self) -> Symbol:
        """The store that unit tests keep runs in."""
        memory = self._own("run_store_memory", "RunStoreMemory")
        return memory if self.node.run_store == "memory" else ("tests.unit.fake_nodes", "Store")

    def workflow_tests(self, operation: HasWorkflow) -> tuple[Symbol, ...]:
        """Return those of the tests of a workflow."""
        if operation.workflow is None:
            return ()
        module = f"workflows.{operation.workflow.file}"
        return (
            operation.handler,
            operation.input.symbol,
            self.node.own("correlation", "CORRELATION_ID"),
            self.node.own(module, "WORKFLOW"),
            self.node.own(module, "output_of"),
            self._own("engine", "Engine"),
            *self._of("run", "Run", "StepRecord"),
            *self._of("workflows", "Workflows", "new_run"),
            *((self.test_store,) if self.node.run_store else ()),
            *(("tests.unit.fake_nodes", name) for name in ("FakeNodes", "PERMANENT", "RUN_ID")),
        )

    @property
    def fakes(self) -> tuple[Symbol, ...]:
        """Those of the fakes that unit tests use."""
        if not self.node.shares_runs:
            return (self._own("step", "Workflow"),)
        return *self._of("run", "Run", "load"), self._own("run_store", "Lease"), self._own("step", "Workflow")

    def module(self, operation: HasWorkflow) -> tuple[Symbol, ...]:
        """Return those of the module of a workflow."""
        view = operation.workflow
        if view is None:
            return ()
        symbols = [operation.input.symbol, operation.output.symbol, self._own("run", "Answer"), self._own("run", "Run")]
        symbols += self._of("step", "Call", "Step", "Workflow", *(("Retry",) if view.has_retry else ()))
        symbols += [self._own("run", "answered")] if view.uses_answered else []
        symbols += [self.node.own("handlers.texts", "text")] if view.uses_text else []
        return tuple(symbols)

    def operation(self, operation: HasWorkflow) -> tuple[Symbol, ...]:
        """Return those of the handler of an operation."""
        view = operation.workflow
        if view is None:
            return ()
        module = f"workflows.{view.file}"
        symbols = [operation.input.symbol, operation.output.symbol, self._own("workflows", "Workflows")]
        symbols += [self.node.own(module, "WORKFLOW"), self.node.own(module, "output_of")]
        return *symbols, *(() if view.reports else (self._own("run", "failure"),))

    def _own(self, module: str, name: str) -> Symbol:
        return self.node.own(f"workflows.{module}", name)

    def _of(self, module: str, *names_of: str) -> list[Symbol]:
        return [self._own(module, name) for name in names_of]
