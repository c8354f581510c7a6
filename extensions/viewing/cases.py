"""What unit tests ask of operations with one SQL statement, and what they expect of it."""

from collections.abc import Iterator
from dataclasses import dataclass

from .operation import OperationView


@dataclass(frozen=True, slots=True)
class HandlerCase:
    """One run of an operation.

    Attributes:
        operation: The operation's member of their enum.
        answer: Code of what the database answers.
        output: Code of the fields that the operation answers; None where nobody can tell beforehand.
        events: How many events follow.
    """

    operation: str
    answer: str
    output: str
    events: int


def cases(operation: OperationView, row: str) -> Iterator[HandlerCase]:
    """Yield the runs that are tested: with a row, and without one where that makes a difference.

    Args:
        operation: The operation, with a valid input.
        row: Code of a row that its statement may return; empty where none is known.
    """
    if operation.call == "execute" or row:
        answer = {"fetch_one": row, "fetch_all": f"[{row}]", "execute": '"UPDATE 1"'}[operation.call]
        yield HandlerCase(operation.constant, answer, _output(operation, row, found=True), len(operation.succeeding))
    if not operation.row_required and (operation.tells_of_rows or operation.call == "fetch_one"):
        answer = {"fetch_one": "None", "fetch_all": "[]", "execute": '"UPDATE 0"'}[operation.call]
        events = sum(not event.occurred for event in operation.succeeding)
        yield HandlerCase(operation.constant, answer, _output(operation, row, found=False), events)


def _output(operation: OperationView, row: str, *, found: bool) -> str:
    values = [(name, _value(operation, row, name, code, found=found)) for name, code in operation.results]
    if operation.then or any(value is None for _, value in values):
        return "None"
    return f"{{{', '.join(f'"{name}": {value}' for name, value in values)}}}"


def _value(operation: OperationView, row: str, name: str, code: str, *, found: bool) -> str | None:
    if name == operation.found:
        return str(found)
    if name == operation.count:
        return str(int(found))
    if name == operation.into:
        if not found:
            return "[]" if operation.call == "fetch_all" else "None"
        taken = f"*{row}.values()" if operation.takes_column else row
        return f"[{taken}]" if operation.call == "fetch_all" else taken
    if code == "True":
        return code
    if f'row["{name}"]' in code or (found and "row.get(" in code):
        return f'{row}["{name}"]' if found else "None"
    return None
