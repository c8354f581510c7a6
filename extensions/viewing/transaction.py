"""What templates are handed about the statements of one transaction."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from ..language import names, samples
from ..language.contract import MISSING, Contract, Field, Operation
from ..language.filling import copied
from ..language.integrations import Database, Statement
from ..text import encode
from .call import given_in
from .fields import Symbol

type Argument = Callable[[str], str]
"""Makes code of what a statement is given for a parameter that is no column."""

_BOUND = {"one": "row", "many": "rows", "none": "count"}
_CALLS = {"one": "fetch_one", "many": "fetch_all", "none": "execute"}
_EMPTY = {"one": "None", "many": "[]", "none": '"UPDATE 0"'}


@dataclass(frozen=True, slots=True)
class StatementView:
    """One of the statements of a transaction.

    Attributes:
        name: Its name among them.
        constant: What ends the names of its constants.
        query: SQL with its line ends.
        call: The method that runs it: `fetch_one`, `fetch_all` or `execute`.
        parameters: What its placeholders stand for, in order, as the contract says it.
        arguments: Code of the same.
        bound: The variable that keeps what it returns; empty where nothing uses it.
        missing: Code of the condition under which the transaction is undone; empty for none.
        savepoint: Whether it alone is undone where a constraint refuses it.
        columns: The columns that its rows have to have.
        returns_rows: Whether it returns rows.
        answer: What a database may return, as code: rows, or the status of what it did.
    """

    name: str
    constant: str
    query: str
    call: str
    parameters: tuple[str, ...]
    arguments: tuple[str, ...]
    bound: str
    missing: str
    savepoint: bool
    columns: tuple[str, ...]
    returns_rows: bool
    answer: str

    @property
    def empty(self) -> str:
        """Code of what a database returns where nothing is found."""
        return _EMPTY[next(rows for rows, call in _CALLS.items() if call == self.call)]


@dataclass(frozen=True, slots=True)
class TransactionView:
    """The statements of an operation.

    Attributes:
        statements: In order.
        results: Pairs of output field and code of its value.
        undone: The same where the transaction was undone; none where that is an error.
        found: The output field that tells whether all that is required was there; empty for none.
        models: The models that rows become.
    """

    statements: tuple[StatementView, ...]
    results: tuple[tuple[str, str], ...]
    undone: tuple[tuple[str, str], ...]
    found: str
    models: tuple[Symbol, ...]

    @property
    def requiring(self) -> tuple[StatementView, ...]:
        """The statements without which the transaction is undone."""
        return tuple(statement for statement in self.statements if statement.missing)

    @property
    def code(self) -> str:
        """All code of it, for searches."""
        codes = (code for _, code in (*self.results, *self.undone))
        return "\n".join((*codes, *(code for statement in self.statements for code in statement.arguments)))

    @property
    def given(self) -> tuple[tuple[str, str], ...]:
        """What it takes of the run, beside the input."""
        return given_in(self.code)

    @property
    def uses_request(self) -> bool:
        """Whether it looks at the input."""
        return re.search(r"\brequest\b", self.code) is not None

    @property
    def names_parameters(self) -> bool:
        """Whether some of its statements have parameters."""
        return any(statement.parameters for statement in self.statements)

    @property
    def reads_rows(self) -> bool:
        """Whether values of rows fill outputs."""
        return any("row_values(" in code for _, code in self.results)


def transaction_view(
    contract: Contract, operation: Operation, argument: Argument, reference: Callable[[str, str], Symbol]
) -> TransactionView | None:
    """Return the statements of an operation; None where there are not several.

    Args:
        contract: The contract.
        operation: One of its operations.
        argument: Makes code of a parameter that is no column.
        reference: Where the class of a kind, such as `model`, is, by the name that the contract gives it.
    """
    database = operation.database
    if database is None or not database.statements:
        return None
    by_name = {statement.name: statement for statement in database.statements}
    fields = {field.name: field for field in operation.output}
    results = {name: _taken(by_name, source, fields[name], reference) for name, source in database.into.items()}
    results |= {name: _counted(by_name[source]) for name, source in database.counts.items()}
    found = database.returns.found or ""
    others = {field.name: f"request.{field.name}" for field in operation.output if copied(operation.input, field)}
    for field in operation.output:
        if field.name == found or (not found and field.kind == "boolean"):
            others.setdefault(field.name, "True")
    results = {field.name: {**others, **results}.get(field.name, "") for field in operation.output}
    used = " ".join((*results.values(), *(code for one in database.statements for code in _columns(by_name, one))))
    models = [_row_model(fields[name], reference) for name, source in database.into.items() if "." not in source]
    return TransactionView(
        statements=tuple(_statement(contract, operation, one, argument, used) for one in database.statements),
        results=tuple((name, code) for name, code in results.items() if code),
        undone=tuple(_undone(operation, database, others)) if found else (),
        found=found,
        models=tuple(model for model in models if model),
    )


def _bound(statement: Statement) -> str:
    return f"{statement.name}_{_BOUND[statement.rows]}"


def _columns(by_name: Mapping[str, Statement], statement: Statement) -> Iterator[str]:
    for text in statement.parameters:
        if "." in text and "${" not in text:
            yield _column(by_name, text)


def _column(by_name: Mapping[str, Statement], text: str) -> str:
    """Return code of a column of a statement before, as the database has it."""
    name, _, column = text.partition(".")
    row = _bound(by_name[name])
    code = f'{row}["{column}"]'
    return code if by_name[name].sure else f"None if {row} is None else {code}"


def _statement(
    contract: Contract, operation: Operation, statement: Statement, argument: Argument, used: str
) -> StatementView:
    assert operation.database is not None  # noqa: S101 - the caller looked
    by_name = {other.name: other for other in operation.database.statements}
    arguments = tuple(
        _column(by_name, text) if "." in text and "${" not in text else argument(text) for text in statement.parameters
    )
    bound = _bound(statement)
    missing = f"{bound} is None" if statement.rows == "one" else f"not {bound}"
    return StatementView(
        name=statement.name,
        constant=names.constant(statement.name),
        query=statement.query,
        call=_CALLS[statement.rows],
        parameters=statement.parameters,
        arguments=arguments,
        bound=bound if statement.required or re.search(rf"\b{bound}\b", used) else "",
        missing=missing if statement.required else "",
        savepoint=statement.savepoint,
        columns=tuple(_needed_columns(contract, operation, statement)),
        returns_rows=statement.rows != "none",
        answer=_answer(contract, operation, statement),
    )


def _sources(database: Database, statement: Statement) -> Iterator[tuple[str, str]]:
    """Yield the output fields that take something of a statement, and the columns; empty for whole rows."""
    for name, source in database.into.items():
        own, _, column = source.partition(".")
        if own == statement.name:
            yield name, column


def _needed_columns(contract: Contract, operation: Operation, statement: Statement) -> Sequence[str]:
    assert operation.database is not None  # noqa: S101 - the caller looked
    found: dict[str, None] = {}
    for name, column in _sources(operation.database, statement):
        field = next(field for field in operation.output if field.name == name)
        if column:
            found[column] = None
        else:
            found |= dict.fromkeys(inner.name for inner in _row_fields(contract, field) if inner.required)
    for other in operation.database.statements:
        prefix = f"{statement.name}."
        found |= dict.fromkeys(text.removeprefix(prefix) for text in other.parameters if text.startswith(prefix))
    return tuple(found)


def _row_fields(contract: Contract, field: Field) -> tuple[Field, ...]:
    holder = field.items if field.kind == "array" and field.items else field
    model = next((model for model in contract.models if model.name == holder.reference), None)
    return model.fields if model else ()


def _answer(contract: Contract, operation: Operation, statement: Statement) -> str:
    assert operation.database is not None  # noqa: S101 - the caller looked
    if statement.rows == "none":
        return '"UPDATE 1"'
    row: dict[str, object] = dict.fromkeys(_needed_columns(contract, operation, statement))
    for name, column in _sources(operation.database, statement):
        field = next(field for field in operation.output if field.name == name)
        if column:
            many = statement.rows == "many" and field.items
            row[column] = samples.column(contract, field.items if many and field.items else field)
        else:
            for inner in _row_fields(contract, field):
                if inner.required:
                    row[inner.name] = samples.column(contract, inner)
    return encode.py([row] if statement.rows == "many" else row)


def _row_model(field: Field, reference: Callable[[str, str], Symbol]) -> Symbol | None:
    holder = field.items if field.kind == "array" and field.items else field
    return reference("model", str(holder.reference)) if holder.kind == "model" else None


def _taken(by_name: Mapping[str, Statement], source: str, field: Field, reference: Callable[[str, str], Symbol]) -> str:
    """Return code of what an output field takes of a statement."""
    name, _, column = source.partition(".")
    statement = by_name[name]
    bound = _bound(statement)
    row = "row" if statement.rows == "many" else bound
    value = f"row_values({row})"
    if column:
        value += f'["{column}"]'
    elif model := _row_model(field, reference):
        # A table may have more columns than the model has fields.
        value = f'{model[1]}.model_validate({value}, extra="ignore")'
    if statement.rows == "many":
        return f"[{value} for row in {bound}]"
    return value if statement.sure else f"None if {bound} is None else {value}"


def _counted(statement: Statement) -> str:
    bound = _bound(statement)
    one = "1" if statement.required else f"0 if {bound} is None else 1"
    return {"one": one, "many": f"len({bound})", "none": bound}[statement.rows]


def _undone(operation: Operation, database: Database, others: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Yield output fields and code of their values where the transaction was undone."""
    for field in operation.output:
        if field.name == database.returns.found:
            yield field.name, "False"
        elif field.name in others and field.name not in (*database.into, *database.counts):
            yield field.name, others[field.name]
        elif field.required and field.default is MISSING:
            if field.name in database.counts:
                yield field.name, "0"
            elif field.kind == "array":
                yield field.name, "[]"
