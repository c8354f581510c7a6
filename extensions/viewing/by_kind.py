"""The operations of a node by their kind."""

import math
from collections.abc import Iterable, Mapping

from ..language import idempotency
from . import aggregates, aggregation, workflow, workflow_given
from . import fsm as fsm_viewing
from .calls import KEY_HELPERS
from .cases import HandlerCase, cases
from .facts import NodeFacts
from .fields import Symbol
from .integrations import ConsumedView
from .operation import OperationView
from .types import EventView


class NodeOperations(NodeFacts):
    """The operations of a node, by what implements them, and by what is known to test them with."""

    __slots__ = ()

    @property
    def tests_states(self) -> bool:
        """Whether tests move entities through the states of its state machine."""
        return bool(self.fsm and self.fsm.entity_values)

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
    def followed(self) -> tuple[OperationView, ...]:
        """The operations whose result expressions follow."""
        return tuple(op for op in self.operations if op.then)

    @property
    def with_expressions(self) -> tuple[OperationView, ...]:
        """The operations that have expressions, whether these implement or follow."""
        return tuple(op for op in self.operations if op.expressions)

    @property
    def factor_weight(self) -> float:
        """The weight of each operation in ONEX's form of an algorithm, in which they add up to 1."""
        return round(1 / len(self.operations), 6)

    @property
    def proves_purity(self) -> bool:
        """Whether tests show that something is pure."""
        return bool(self.aggregating or self.compute_operations)

    @property
    def pooled(self) -> tuple[OperationView, ...]:
        """The operations that are pure functions of their inputs, and run in processes of their own."""
        return (*(() if self.figure_store else self.aggregating), *self.compute_operations)

    @property
    def figures_kept_in(self) -> str:
        """Where figures of aggregations are kept: `memory`, `postgres` or `redis`; empty for nowhere."""
        return self.contract.figure_store.backend if self.contract.figure_store else ""

    @property
    def figure_store(self) -> Symbol | None:
        """The class that keeps figures of aggregations from batch to batch, if they are kept."""
        store = self.contract.figure_store
        module = f"aggregations.store_{store.backend}" if store else ""
        return self.own(module, f"FigureStore{store.backend.capitalize()}") if store else None

    @property
    def figure_argument(self) -> str:
        """Code of what its constructor takes."""
        store = self.contract.figure_store
        return f'self.adapters.{store.backend}, "{store.place}"' if store and store.backend != "memory" else ""

    @property
    def throughput(self) -> tuple[OperationView, ...]:
        """The aggregations whose throughput is measured: those that many valid events are known for."""
        return tuple(
            op
            for op in self.aggregating
            if op.sample is not None and getattr(op.reduction, "variations", None)
            if not getattr(op.reduction, "kept", False) and not getattr(op.reduction, "single", False)
        )

    @property
    def throughput_code(self) -> str:
        """All code of the events that throughput is measured with, to see what it needs."""
        views = (op.reduction for op in self.throughput)
        return " ".join(code for view in views for _, code in getattr(view, "variations", None) or ())

    @property
    def benched(self) -> bool:
        """Whether there is something for `make bench` to measure."""
        return bool(self.measured or self.throughput or self.workflows)

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

    def given_to_nodes(self, operation: OperationView) -> Mapping[str, tuple[str, str, dict[str, object]]]:
        """Return what the workflow of an operation gives other nodes in tests, by step, where it is known."""
        read = next(found for found in self.contract.operations if found.name == operation.name)
        return workflow_given.given(self.contract, read, operation.workflow.steps) if operation.workflow else {}

    @property
    def tested_workflows(self) -> tuple[OperationView, ...]:
        """The operations whose workflows a valid input and valid answers are known for."""
        return tuple(op for op in self.workflows if op.sample is not None and op.workflow and op.workflow.answerable)

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
    def api_routes(self) -> tuple[OperationView, ...]:
        """The HTTP operations that a successful answer of the API is known for."""
        return tuple(op for op in self.http_operations if op.calls and op.calls.answer is not None)

    def routes_of(self, api: str) -> tuple[OperationView, ...]:
        """Return those of them that ask the API whose adapter has this key."""
        return tuple(op for op in self.api_routes if op.calls and op.calls.adapter == api)

    @property
    def text_helpers(self) -> tuple[str, ...]:
        """The functions that turn values into texts which operations use."""
        used = {
            name for op in self.operations if op.calls for name in op.calls.uses("text", "form", "segment", "segments")
        }
        used |= {"text" for op in self.workflows if op.workflow and op.workflow.uses_text}
        used |= {"text"} if self.key_helpers else set()
        return tuple(name for name in ("text", "form", "segment") if name in used)

    @property
    def key_helpers(self) -> bool:
        """Whether operations make keys or paths of values."""
        cached = any("key_of(" in code for code in self.cache_codes)
        return cached or any(op.calls and op.calls.uses(*KEY_HELPERS) for op in self.operations)

    @property
    def extracting(self) -> tuple[str, ...]:
        """The functions that find values in answers which operations use."""
        known = ("every", "every_or_none", "first", "first_or_none")
        return tuple(name for name in known if any(op.calls and op.calls.uses(name) for op in self.operations))

    @property
    def paging(self) -> bool:
        """Whether operations gather lists from pages."""
        return any(op.calls.paging for op in self.operations if op.calls)

    @property
    def not_found_sampled(self) -> tuple[OperationView, ...]:
        """The HTTP operations to which a 404 is an answer, and that a valid input is known for."""
        return tuple(op for op in self.http_operations if op.calls and op.calls.not_found and op.sample is not None)

    @property
    def publishing(self) -> tuple[OperationView, ...]:
        """The operations that publish an event."""
        return tuple(operation for operation in self.operations if operation.events)

    @property
    def event_models(self) -> tuple[tuple[OperationView, EventView], ...]:
        """The operations that publish, each with an event of each model of what it publishes."""
        return tuple((operation, event) for operation in self.operations for event in operation.event_models)

    @property
    def asks_for_occasions(self) -> bool:
        """Whether operations take the moment, a new identity or the request's of their run."""
        sources = (source for op in self.operations for source in (op, op.calls, op.transaction) if source)
        return any(source.given for source in sources)

    @property
    def selecting(self) -> tuple[ConsumedView, ...]:
        """The events of which operations take less or other things than their members by their names."""
        return tuple(event for event in self.kafka.consumed if event.selects) if self.kafka else ()

    @property
    def scheduled(self) -> tuple[OperationView, ...]:
        """The operations that run by themselves."""
        return tuple(operation for operation in self.operations if operation.schedule)

    @property
    def has_calendar(self) -> bool:
        """Whether operations run at times of the calendar."""
        return any(operation.schedule and operation.schedule.cron for operation in self.operations)

    @property
    def opted_out(self) -> tuple[OperationView, ...]:
        """The operations that run outside the transactions which the node otherwise uses."""
        wanted = self.database is not None and bool(self.database.isolation)
        kept = self.fsm_operations if self.fsm and self.fsm.backend == "postgres" else ()
        kept = (*kept, *(self.workflows if self.run_store == "postgres" else ()))
        return tuple(op for op in (*self.database_operations, *kept) if wanted and not op.transactional)

    @property
    def custom_operations(self) -> tuple[OperationView, ...]:
        """The operations whose handlers are written by a person."""
        return tuple(operation for operation in self.operations if operation.custom)

    @property
    def database_operations(self) -> tuple[OperationView, ...]:
        """The operations that run one SQL statement."""
        return tuple(operation for operation in self.operations if operation.query)

    @property
    def transactions(self) -> tuple[OperationView, ...]:
        """The operations that run several SQL statements in one transaction."""
        return tuple(operation for operation in self.operations if operation.transaction)

    @property
    def sql_operations(self) -> tuple[OperationView, ...]:
        """The operations that run SQL."""
        return tuple(operation for operation in self.operations if operation.query or operation.transaction)

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
    def redis_sampled(self) -> tuple[OperationView, ...]:
        """The operations on Redis that a valid input is known for."""
        return _sampled(self.redis_operations)

    @property
    def http_sampled(self) -> tuple[OperationView, ...]:
        """The HTTP operations that a valid input and an answer are known for."""
        return tuple(
            op for op in self.http_operations if op.sample is not None and op.calls and op.calls.answer is not None
        )

    @property
    def kafka_sampled(self) -> tuple[OperationView, ...]:
        """The operations that publish a message, and that a valid input is known for."""
        return _sampled(self.kafka_operations)

    @property
    def files_sampled(self) -> tuple[OperationView, ...]:
        """The operations on files that a valid input is known for."""
        return _sampled(self.filesystem_operations)

    @property
    def handler_tested(self) -> tuple[OperationView, ...]:
        """The operations with an SQL statement that a valid input is known for."""
        return _sampled(self.database_operations)

    @property
    def tested_rows(self) -> Mapping[str, dict[str, object]]:
        """The rows that these tests let the database return, each once, by the names that they have there."""
        rows: dict[str, dict[str, object]] = {}
        for operation in self.handler_tested:
            if operation.call != "execute" and operation.row_sample is not None:
                rows.setdefault(self.row_name(operation), operation.row_sample)
        return rows

    def row_name(self, operation: OperationView) -> str:
        """Return the name of the row that tests let an operation's statement return: that of the first such one."""
        return next(f"{op.constant}_ROW" for op in self.handler_tested if op.row_sample == operation.row_sample)

    @property
    def handler_cases(self) -> tuple[HandlerCase, ...]:
        """What these tests ask, and what they expect of it."""
        return tuple(
            case
            for operation in self.handler_tested
            for case in cases(operation, "" if operation.row_sample is None else self.row_name(operation))
        )

    @property
    def isolated(self) -> bool:
        """Whether all statements that these tests look at run in transactions."""
        return bool(self.database and self.database.isolation) and all(op.transactional for op in self.handler_tested)

    @property
    def tried_again(self) -> tuple[OperationView, ...]:
        """The operations whose statements the node's policy tries again."""
        if self.retry is None or not (self.isolated or (self.database and not self.database.isolation)):
            return ()
        return tuple(operation for operation in self.handler_tested if not operation.retry)

    @property
    def counts_events(self) -> bool:
        """Whether these tests count events: workflows ask for more of a bus than events do."""
        return bool(self.publishing) and not self.workflows

    @property
    def transactions_tested(self) -> tuple[OperationView, ...]:
        """The operations with a transaction that a valid input is known for."""
        return _sampled(self.transactions)

    @property
    def keyed(self) -> tuple[OperationView, ...]:
        """The operations that keep answers by the keys of their requests."""
        return tuple(operation for operation in self.operations if operation.keyed)

    @property
    def keyed_sampled(self) -> tuple[OperationView, ...]:
        """Those of them that a valid input is known for."""
        return _sampled(self.keyed)

    @property
    def brings_tables(self) -> bool:
        """Whether its migrations make the tables that its statements are about, as far as a contract can."""
        own = self.contract.database.migrations if self.contract.database else ()
        return bool(own if self.sql_operations else self.migrations)

    @property
    def answers_table(self) -> str:
        """The table of the answers that are kept; empty where there is none."""
        return idempotency.table(self.contract)

    @property
    def cached(self) -> tuple[OperationView, ...]:
        """The operations whose results are kept for a while."""
        return tuple(operation for operation in self.operations if operation.cache)

    @property
    def cache_tested(self) -> tuple[OperationView, ...]:
        """Those of them that a valid input and an output are known for."""
        return tuple(op for op in self.cached if op.sample is not None and op.cache and op.cache.result is not None)

    @property
    def changing(self) -> tuple[OperationView, ...]:
        """The operations that change results which are kept."""
        return tuple(operation for operation in self.operations if operation.changes)

    @property
    def cache_places(self) -> tuple[str, ...]:
        """Where results are kept: `redis`, `memory`."""
        return tuple(sorted({operation.cache.place for operation in self.cached if operation.cache}))

    @property
    def cache_entries(self) -> int:
        """How many results are kept in memory at most."""
        return max((op.cache.max_entries for op in self.cached if op.cache and op.cache.place == "memory"), default=0)

    @property
    def cache_codes(self) -> tuple[str, ...]:
        """All code of the keys of results that are kept."""
        changed = (key for operation in self.changing for change in operation.changes for key in change.keys)
        return (*(operation.cache.key for operation in self.cached if operation.cache), *changed)

    @property
    def sql_sampled(self) -> tuple[OperationView, ...]:
        """The operations that run SQL, and that a valid input is known for."""
        return _sampled(self.sql_operations)

    @property
    def sampled(self) -> tuple[OperationView, ...]:
        """The operations that a valid input is known for."""
        return _sampled(self.operations)

    @property
    def measured(self) -> tuple[OperationView, ...]:
        """The operations whose objectives are measured: statements and expressions that a valid input is known for."""
        known = (*self.sql_sampled, *_sampled(self.compute_operations))
        return tuple(operation for operation in known if operation.target)

    @property
    def is_pure(self) -> bool:
        """Whether every operation is a function of its input alone."""
        return self.is_compute or (len(self.aggregating) == len(self.operations) and not self.figure_store)

    def running(self, operation: OperationView) -> str:
        """Return code of what runs an operation: its handler, and what follows it."""
        if operation in self.pooled:
            return f"COMPUTE_POOL.around({operation.handler[1]})"
        code = f"{operation.handler[1]}({operation.handler_argument}).handle"
        if operation.keyed:
            retry = f", {operation.retry.code}" if operation.retry else ""
            code = f'answers.around(Keeping("{operation.name}", {operation.returned[1]}{retry}), {code})'
        if operation.then:
            code = f'followed("{operation.name}", {code}, {operation.then.function})'
        for change in operation.changes:
            code = f'kept_in_{change.place}.forgetting("{operation.name}", {code}, {change.function})'
        return code

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


def _sampled(operations: Iterable[OperationView]) -> tuple[OperationView, ...]:
    return tuple(operation for operation in operations if operation.sample is not None)
