"""What templates are handed about an operation."""

import re
from dataclasses import dataclass

from ..language.contract import Example, Field, Operation, Schedule, Target
from ..text import encode
from . import aggregation, fsm
from . import computation as computations
from . import workflow as workflow_view
from .caches import CacheView, ChangeView
from .call import CallView, given_in
from .fields import Symbol
from .resilience import USUAL_DEADLINE_SECONDS, RetryView
from .transaction import TransactionView
from .types import EventView, TypeView


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
        keyed: Whether it keeps answers by the keys of their requests.
        transactional: Whether it runs in a transaction.
        retry: Its own retry policy, if any.
        timeout_seconds: Its deadline.
        events: The events that it publishes.
        foreign: Whether its output has models in it, of which answers of others may say more than the contract asks.
        schedule: When it runs by itself; None for never.
        requirements: Distributions that its custom handler needs.
        settings: What its custom handler is set up by.
        scopes: What a caller of the service needs to be allowed; all of them.
        examples: The contract's examples with JSON values.
        target: The contract's objectives, if any.
        sample: A valid input as JSON values, or None when no such can be worked out.
        shown: The same as others write it: by the names outside, without secrets.
        row_sample: A row that the statement may return, or None when no such can be worked out.
        bad_inputs: What makes the sample invalid: what is wrong, the field that is left out or "", other values.
        edges: What its input's constraints just allow, as changes to the sample.
        defaults: The defaults of its input that are plain values.
        reduction: What is the aggregation's or the state machine's in it, if one of them implements it.
        workflow: Its workflow, if one implements it.
        computation: Its expressions, if they implement it.
        then: Expressions that follow its result, if any.
        returned: What its handler returns: its output, or the result that expressions follow.
        transaction: Its statements, if several in one transaction implement it.
        cache: How its results are kept, if they are.
        changes: What it changes of results that are kept, by place.
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
    keyed: bool
    transactional: bool
    retry: RetryView | None
    timeout_seconds: float
    events: tuple[EventView, ...]
    foreign: bool
    schedule: Schedule | None
    requirements: tuple[str, ...]
    settings: tuple[Field, ...]
    scopes: tuple[str, ...]
    examples: tuple[Example, ...]
    shown_examples: tuple[Example, ...]
    target: Target | None
    sample: dict[str, object] | None
    shown: dict[str, object] | None
    row_sample: dict[str, object] | None
    bad_inputs: tuple[tuple[str, str, dict[str, object]], ...]
    edges: tuple[dict[str, object], ...]
    defaults: dict[str, object]
    handler_imports: tuple[Symbol, ...]
    handler_argument: str
    reduction: aggregation.AggregateView | fsm.FsmOperationView | None
    workflow: workflow_view.WorkflowView | None
    computation: computations.ComputationView | None
    then: computations.ComputationView | None
    returned: Symbol
    transaction: TransactionView | None
    cache: CacheView | None
    changes: tuple[ChangeView, ...]

    @property
    def has_own_timeout(self) -> bool:
        """Whether its deadline is another than that of most operations."""
        return self.timeout_seconds != USUAL_DEADLINE_SECONDS

    @property
    def expressions(self) -> computations.ComputationView | None:
        """The expressions of it, whether they implement or follow."""
        return self.computation or self.then

    @property
    def succeeding(self) -> tuple[EventView, ...]:
        """The events that follow its success."""
        return tuple(event for event in self.events if not event.failed)

    @property
    def failing(self) -> tuple[EventView, ...]:
        """The events that follow its failure."""
        return tuple(event for event in self.events if event.failed)

    @property
    def event_models(self) -> tuple[EventView, ...]:
        """One event for each of the models of what it publishes."""
        return (*self.succeeding[:1], *self.failing[:1])

    @property
    def schedule_code(self) -> str:
        """Code of the seconds between two runs, or of what tells those until the next."""
        if self.schedule is None or self.schedule.every_seconds is not None:
            return encode.py(self.schedule.every_seconds if self.schedule else None)
        return f"Cron({encode.py(self.schedule.cron)}, {encode.py(self.schedule.time_zone)})"

    @property
    def runs(self) -> str:
        """The method that runs its statement: `row`, `rows` or `affected`, as what it returns is called, too."""
        return {"fetch_one": "row", "fetch_all": "rows", "execute": "affected"}.get(self.call, "")

    @property
    def binding(self) -> str:
        """The assignment before the statement's call; empty when nothing uses what it returns."""
        used = self.row_required or any(re.search(rf"\b{self.runs}\b", code) for _, code in self.results)
        return f"{self.runs} = " if used else ""

    @property
    def tells_of_rows(self) -> bool:
        """Whether its output depends on the rows that its statement finds."""
        return bool(self.found or self.count or self.into)

    @property
    def takes_column(self) -> bool:
        """Whether an array takes the rows' only column."""
        return any("iter(row.values())" in code for _, code in self.results)

    @property
    def given_fields(self) -> tuple[str, ...]:
        """The input fields that its statement is given, in order; empty for what is none by itself."""
        pairs = zip(self.parameters, self.arguments, strict=True)
        return tuple(name if code == f"request.{name}" else "" for name, code in pairs)

    @property
    def given(self) -> tuple[tuple[str, str], ...]:
        """What its statement takes of the run, beside the input."""
        return given_in(" ".join(self.arguments))

    @property
    def uses_request(self) -> bool:
        """Whether the handler looks at its input."""
        return any("request." in code for code in self.arguments) or any(
            code.startswith("request.") for _, code in self.results
        )


def may_retry(operation: Operation) -> bool:
    """Tell whether its adapter takes a retry policy: files and the outbox of Kafka have none of their own."""
    return bool(operation.database or operation.http or operation.redis)
