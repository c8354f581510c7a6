"""Rules for the keys of requests: which operations can keep an answer in the transaction that it tells of."""

from collections.abc import Iterator, Mapping
from typing import Final

from ..language import migrations, sql
from ..language.contract import spell_out
from ..language.fsm import IMPLEMENTATIONS
from ..text.problems import Path, Problem
from ..text.specs import Specs, list_of, mapping_of

_WANTED: Final = "an operation with statements in a transaction on the node's own database"
# How what has no transaction is repeated.
_INSTEAD: Final[Mapping[str, str]] = {
    "http": "where the API takes a key itself, send it as one of the `headers`",
    "kafka": "consumers tell a message that comes twice by an id in it",
    "redis": "`set` with `if_absent` takes effect once",
    "filesystem": "writing the same file again does no harm",
    "workflow": "where runs are kept, a request with the same correlation id goes on with its run",
    "aggregate": "an `event_id` is counted once",
    "compute": "it changes nothing and may be repeated",
    "handler": "where its statements follow from the input, write them as `database`",
}
_OF_STATE_MACHINES: Final = "an event that comes again by its `event_id` is answered as the first time"


def check(path: Path, operation: Specs) -> Iterator[Problem]:
    """Find why an operation that says so can't keep answers.

    Args:
        path: Where the operation is.
        operation: The operation, which meets the schema in what is looked at here.

    Yields:
        The problems.
    """
    if operation.get("idempotency_key") is not True:
        return
    place = (*path, "idempotency_key")
    database = operation.get("database")
    if not isinstance(database, Mapping):
        kind = next((key for key in IMPLEMENTATIONS if key in operation), "")
        yield Problem(
            place,
            f"a key for {kind or 'a state machine'}",
            _WANTED,
            _INSTEAD.get(kind, "" if kind else _OF_STATE_MACHINES),
        )
        return
    if database.get("transaction") is False:
        hint = "leave `transaction: false` out: the answer is kept in the same transaction"
        yield Problem(place, "a key for a statement outside of transactions", _WANTED, hint)
    specs = list_of(database.get("statements")) or [database]
    queries = [query for spec in specs if isinstance(query := mapping_of(spec).get("query"), str)]
    if queries and all(map(sql.reads_only, queries)):
        yield Problem(place, "a key for an operation that only reads", "none: it may be repeated without")
    for query in queries:
        if word := migrations.outside(query):
            yield Problem(place, f"a key for {word}, which PostgreSQL refuses in a transaction", _WANTED)
    for name, field in mapping_of(operation.get("output")).items():
        if isinstance(field, (str, Mapping)) and spell_out(field).get("secret") is True:
            yield Problem(place, f"the output {name}, which is secret, and would be kept", "no key, or no secret")
