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
    def store(self) -> tuple[Symbol, ...]:
        """The store's."""
        adapter = (self.node.run_adapter,) if self.node.shares_runs else ()
        return *adapter, *self._of("run", "Run", "load"), self._own("run_store", "Lease")

    @property
    def handler(self) -> tuple[Symbol, ...]:
        """Those of the node's handler."""
        symbols = [
            self._own("announcer", "Announcer"),
            self._own("connection", "Connection"),
            self._own("engine", "Engine"),
            self._own("nodes", "Nodes"),
            self._own("nodes_on_bus", "RequestBus"),
            self._own("peers", "PEERS"),
            self.node.step_event,
            self._own("workflows", "Workflows"),
        ]
        if self.node.tracing:
            symbols += [self.node.own("tracing", "node_span"), self.node.own("tracing", "outgoing")]
            symbols.append(self._own("spans", "NodeSpans"))
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
    def overhead(self) -> tuple[Symbol, ...]:
        """Those of the measurement of what a step costs."""
        steps = self._of("step", "Call", "Step", "Workflow")
        return self._own("engine", "Engine"), *self._of("run", "Run", "StepRecord"), self._own("known", "Known"), *steps

    @property
    def resume_tests(self) -> tuple[Symbol, ...]:
        """Those of the test of processes that are killed."""
        symbols = [self._own("run_store", "Lease"), self._own(f"run_store_{self.node.run_store}", self.store_class)]
        symbols += [*self._of("run", "Run", "StepRecord", "load"), self._own("known", "Known")]
        symbols += self._of("step", "Call", "Condition", "Each", "Repeat", "Step", "Workflow")
        symbols += [*self._of("workflows", "Workflows", "new_run"), self._own("engine", "Engine")]
        symbols += [self.node.run_adapter, self.node.own("adapters.adapters", "Adapters"), self.node.settings]
        if self.node.run_store == "redis":
            symbols.append(("tests.redis_server", "redis_url"))
        return *symbols, self.node.own("correlation", "CORRELATION_ID")

    @property
    def made_in_tests(self) -> str:
        """Code of what a handler's constructor takes in tests."""
        return f'Workflows(Engine(nodes, tell), "{self.node.full_name}")'

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
            *(("tests.fake_nodes", name) for name in ("FakeNodes", "PERMANENT", "RUN_ID", "calls_of")),
            self._own("run", "load"),
            (self.node.handler[0], f"{self.node.handler[1]} as Handler"),
            (self.node.operation_enum[0], f"{self.node.operation_enum[1]} as Operation"),
            (self.node.request[0], f"{self.node.request[1]} as Request"),
            (self.node.settings[0], f"{self.node.settings[1]} as Settings"),
        )

    def module(self, operation: HasWorkflow) -> tuple[Symbol, ...]:
        """Return those of the module of a workflow."""
        view = operation.workflow
        if view is None:
            return ()
        symbols = [operation.input.symbol, operation.output.symbol, self._own("run", "Run")]
        symbols += [*self._of("step", *view.symbols), self._own("known", "Known")]
        symbols += self._of("known", *view.uses)
        symbols += [self.node.own("topics", "topic_of")] if "Publishing" in view.symbols else []
        symbols += [self.node.own("texts", "text")] if view.uses_text else []
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
