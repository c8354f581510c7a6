"""What templates are handed about statements, and about the database that they go to."""

from collections.abc import Callable, Sequence

from ..language import migrations, samples, sql
from ..language.contract import Contract, Operation
from ..language.filling import copied
from ..language.references import Reference, Resolver, parts
from . import aggregates, idempotency
from . import workflow as workflow_view
from .fields import Symbol
from .integrations import Environment
from .operation import OperationView
from .resilience import statement_timeout
from .types import DatabaseView, MigrationView


def argument(contract: Contract, operation: Operation, name: str, environment: Environment) -> str:
    """Return code of what a statement is given for one of its parameters."""
    (whole,) = parts(name) if "${" in name else [Reference("input", name)]
    assert isinstance(whole, Reference)  # noqa: S101 - rules said so
    resolver = Resolver(operation.input, contract.models, environment.setting)
    if whole.source != "input":
        return resolver.whole(whole)
    field, required, value = resolver.follow(whole.name)
    if not required and "." in whole.name:
        return value
    if field.kind in {"model", "union"}:
        code = f'{value}.model_dump(mode="json")'
    elif field.kind == "array" and field.items and field.items.kind in {"model", "union"}:
        code = f'[item.model_dump(mode="json") for item in {value}]'
    else:
        return value
    return code if required else f"None if {value} is None else {code}"


def results(
    operation: Operation, reference: Callable[[str, str], Symbol]
) -> tuple[tuple[tuple[str, str], ...], Symbol | None, bool]:
    """Return how a statement's outcome fills the output.

    Args:
        operation: The operation.
        reference: Where the class of a kind, such as `model`, is, by the name that the contract gives it.

    Returns:
        Pairs of a field and its code, the model that a row becomes, and whether there has to be a row.
    """
    database = operation.database
    if database is None or database.statements:
        return (), None, False
    returns = database.returns
    into = next((field for field in operation.output if field.name == returns.into), None)
    row_field = into.items if into and into.kind == "array" else into
    row_model = reference("model", str(row_field.reference)) if row_field and row_field.kind == "model" else None
    convert = f"model_of({row_model[1]}, row)" if row_model else "row"
    if samples.takes_column(into):
        convert = "next(iter(row.values()))"
    columns = returns.rows == "one" and into is None
    named = sql.columns(database.query) if columns else None
    # What a row says of an input that need not be there is nothing where there is no row.
    told = {field.name for field in operation.output if not field.required and field.name in (named or ())}
    passed = {field.name for field in operation.output if copied(operation.input, field)} - told
    from_columns = [
        field.name
        for field in operation.output
        if columns and field.name not in {returns.found, returns.count, *passed}
    ]
    required = [field.name for field in operation.output if field.required]
    row_required = returns.rows == "one" and (
        bool(into and into.required) or any(name in required for name in from_columns)
    )
    free_booleans = [
        field.name
        for field in operation.output
        if returns.rows == "none" and field.kind == "boolean" and field.name not in {returns.found, *passed}
    ]
    results: list[tuple[str, str]] = []
    for field in operation.output:
        if field.name == returns.found:
            code = {
                "one": "True" if row_required else "row is not None",
                "many": "bool(rows)",
                "none": "affected > 0",
            }[returns.rows]
        elif field.name == returns.count:
            one = "1" if row_required else "0 if row is None else 1"
            code = {"one": one, "many": "len(rows)", "none": "affected"}[returns.rows]
        elif field is into and returns.rows == "many":
            code = "rows" if convert == "row" else f"[{convert} for row in rows]"
        elif field is into:
            code = convert
        elif field.name in from_columns:
            value = f'row["{field.name}"]'
            code = value if row_required else f"None if row is None else {value}"
        elif field.name in passed:
            own = f"request.{field.name}"
            value = f'row.get("{field.name}", {own})' if named is None else f'row["{field.name}"]'
            read = columns and (named is None or field.name in named)
            code = own if not read else value if row_required else f"{own} if row is None else {value}"
        elif field.name in free_booleans:
            code = "True"
        else:
            continue
        results.append((field.name, code))
    return tuple(results), row_model, row_required


def row_fields(contract: Contract, operation: Operation, reference: Callable[[str, str], Symbol]) -> tuple[str, ...]:
    """Return the columns that a row has to have."""
    if operation.database is None or operation.database.statements:
        return ()
    returns = operation.database.returns
    into = next((field for field in operation.output if field.name == returns.into), None)
    row_field = into.items if into and into.kind == "array" else into
    if row_field and row_field.kind == "model":
        model = next(model for model in contract.models if model.name == row_field.reference)
        return tuple(field.name for field in model.fields if field.required)
    found, _, _ = results(operation, reference)
    return tuple(name for name, code in found if code.endswith(f'row["{name}"]'))


def database_view(contract: Contract, operations: Sequence[OperationView]) -> DatabaseView:
    """Work out what templates need about the database."""
    integration = contract.database
    transactions = contract.transactions
    isolation = transactions.isolation_level.lower() if transactions and transactions.enabled else ""
    calls = {operation.call for operation in operations if operation.call}
    stores = (contract.state_store, contract.run_store)
    if any(store and store.backend == "postgres" for store in stores):
        calls |= {"fetch_one", "execute"}
    if contract.figure_store and contract.figure_store.backend == "postgres":
        calls |= {"fetch_one", "fetch_all"}
    if any(operation.custom for operation in operations):
        calls = {"fetch_one", "fetch_all", "execute"}
    return DatabaseView(
        migrations=(
            *(MigrationView(*migration) for migration in aggregates.migrations(contract)),
            *(MigrationView(*migration) for migration in workflow_view.migrations(contract)),
            *(MigrationView(*migration) for migration in idempotency.migrations(contract)),
            *(
                MigrationView(m.id, m.sql, m.transaction, "" if m.transaction else migrations.index(m.sql))
                for m in (integration.migrations if integration else ())
            ),
        ),
        isolation=isolation,
        pool_min_size=integration.pool_min_size if integration else 1,
        pool_max_size=integration.pool_max_size if integration else 10,
        statement_timeout_seconds=statement_timeout(contract),
        calls=tuple(sorted(calls)),
    )
