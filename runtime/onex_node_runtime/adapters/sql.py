# The runtime of copier-onex, the same in every node. Change it in the template, not here.
"""Operations that are one SQL statement each: fields of the input go in, and rows come out as JSON has them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Unpack, overload

from .postgres_refusals import parameters
from .postgres_values import row_values

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pydantic import BaseModel

    from .adapter_postgres import AdapterPostgres, StatementOptions


class Statement:
    """One SQL statement, and what its placeholders stand for."""

    def __init__(self, query: str, *fields: str) -> None:
        """Keep both.

        Args:
            query: The statement, with `$1`, `$2`, … for the fields.
            fields: Fields of the input, in the order of the placeholders.
        """
        self.query = query
        self.fields = fields


class SqlOperation:
    """What an operation that is one statement works with."""

    def __init__(self, postgres: AdapterPostgres) -> None:
        """Keep the adapter.

        Args:
            postgres: The node's database.
        """
        self._postgres = postgres

    async def row(
        self, statement: Statement, *arguments: object, **options: Unpack[StatementOptions]
    ) -> dict[str, Any] | None:
        """Run a statement and return its first row, or None when there is none.

        Args:
            statement: The statement.
            arguments: Values of its fields, in order.
            options: How it runs.

        Raises:
            ModelOnexError: As the adapter raises it; a value that the database does not take is named by its field.
        """
        with parameters(*statement.fields):
            record = await self._postgres.fetch_one(statement.query, *arguments, **options)
        return row_values(record)

    async def rows(
        self, statement: Statement, *arguments: object, **options: Unpack[StatementOptions]
    ) -> list[dict[str, Any]]:
        """Run a statement and return all of its rows.

        Args:
            statement: The statement.
            arguments: Values of its fields, in order.
            options: How it runs.

        Raises:
            ModelOnexError: As the adapter raises it; a value that the database does not take is named by its field.
        """
        with parameters(*statement.fields):
            records = await self._postgres.fetch_all(statement.query, *arguments, **options)
        return [row_values(record) for record in records]

    async def affected(self, statement: Statement, *arguments: object, **options: Unpack[StatementOptions]) -> int:
        """Run a statement that returns no rows, and return how many it affected.

        Args:
            statement: The statement.
            arguments: Values of its fields, in order.
            options: How it runs.

        Raises:
            ModelOnexError: As the adapter raises it; a value that the database does not take is named by its field.
        """
        with parameters(*statement.fields):
            return await self._postgres.execute(statement.query, *arguments, **options)


@overload
def model_of(model: type[BaseModel], row: None) -> None: ...
@overload
def model_of[ModelT: BaseModel](model: type[ModelT], row: Mapping[str, Any]) -> ModelT: ...
def model_of[ModelT: BaseModel](model: type[ModelT], row: Mapping[str, Any] | None) -> ModelT | None:
    """Return the model that a row becomes; None where there is no row.

    A table may have more columns than the model has fields, today or after a later migration.

    Args:
        model: The model.
        row: The row, by column name.
    """
    return None if row is None else model.model_validate(row, extra="ignore")
