"""What templates are handed about types, events and migrations."""

import re
from dataclasses import dataclass

from ..language import names
from ..language.contract import Contract
from ..text import encode
from .fields import FieldCode, Symbol, literal


@dataclass(frozen=True, slots=True)
class TypeView:
    """A model, input or output: one class in one file.

    Attributes:
        name: The class.
        file: The module's name.
        symbol: Module and class, for imports.
        title: A sentence that says what it is.
        description: The contract's words, possibly empty.
        fields: Its fields, in order.
        imports: The import lines of its file, standard library, third party and own, each group possibly empty.
        recursive: Whether it contains itself, directly or by others.
        late_imports: Imports of models that contain it, below its class; possibly empty.
        second_names: Definitions of names for types that fields are called like.
    """

    name: str
    file: str
    symbol: Symbol
    title: str
    description: str
    fields: tuple[FieldCode, ...]
    imports: tuple[str, str, str]
    recursive: bool
    late_imports: tuple[str, ...]
    second_names: tuple[str, ...]

    @property
    def has_numbers(self) -> bool:
        """Whether it holds floats or decimals, which are finite in JSON."""
        return any(re.search(r"\b([fF]loat|Decimal)\b", field.declaration) for field in self.fields)

    @property
    def has_other_names(self) -> bool:
        """Whether fields have other names outside of the node."""
        return any(field.outside for field in self.fields)

    @property
    def outside_names(self) -> tuple[str, ...]:
        """The names that its fields have outside of the node."""
        return tuple(field.outside or field.name for field in self.fields)

    @property
    def secrets(self) -> tuple[str, ...]:
        """The fields whose values are secret."""
        return tuple(field.name for field in self.fields if field.secret)

    @property
    def aliases(self) -> tuple[str, ...]:
        """Definitions of names for types that fields are called like, and for long lists of values."""
        return (*self.second_names, *(literal(*field.alias) for field in self.fields if field.alias))


@dataclass(frozen=True, slots=True)
class EnumView:
    """An enum: its class, its file, and pairs of member and value."""

    name: str
    file: str
    symbol: Symbol
    title: str
    description: str
    members: tuple[tuple[str, str], ...]


def reached(contract: Contract) -> frozenset[str]:
    """Return the classes of the enums and models that operations take or give, directly or in others."""
    fields = {model.name: model.fields for model in contract.models}
    waiting = [field for operation in contract.operations for field in (*operation.input, *operation.output)]
    found: set[str] = set()
    seen: set[str] = set()
    while waiting:
        field = waiting.pop()
        waiting += [field.items] if field.items else []
        for name in (str(field.reference or ""), *(field.union.models if field.union else ())):
            if name and name not in seen:
                seen.add(name)
                found.add(names.model_class(name) if name in fields else names.enum_class(name))
                waiting += fields.get(name, ())
    return frozenset(found)


@dataclass(frozen=True, slots=True)
class EventView:
    """The event that an operation publishes.

    Attributes:
        name: The event's name in the contract.
        key: Its name in code that looks its topic up.
        topic: Its full topic.
        file: The module of its payload's class, which is the operation's own: several may publish the same event.
        symbol: The payload's class.
        on: `success` or `failure`.
        occurred: Code of the condition on `output` under which it is published; empty for always after success, and
            for never after an answer where it follows a failure.
        condition: The same for people.
    """

    name: str
    key: str
    topic: str
    file: str
    symbol: Symbol
    on: str
    occurred: str
    condition: str

    @property
    def failed(self) -> bool:
        """Whether it follows a failure."""
        return self.on == "failure"

    @property
    def base(self) -> Symbol:
        """The class that its payload's class derives from, as modules of the node name it."""
        kind = "failure" if self.failed else "success"
        return f"models.{kind}_event", f"Model{kind.capitalize()}Event"


@dataclass(frozen=True, slots=True)
class MigrationView:
    """One migration: its id, which is its file's name, its SQL, and how it runs.

    Attributes:
        id: Its name.
        sql: What it does.
        transaction: Whether it runs in a transaction.
        index: The index that it builds outside of one, as SQL; empty for none.
    """

    id: str
    sql: str
    transaction: bool = True
    index: str = ""

    @property
    def code(self) -> str:
        """Code of it, in a tuple of a module."""
        parts = [encode.py(self.id)]
        parts += [] if self.transaction else ["transaction=False"]
        parts += [f"index={encode.py(self.index)}"] if self.index else []
        line = f"Migration({', '.join(parts)}),"
        if encode.width(line) + 4 <= encode.LINE_LENGTH:
            return line
        return "".join(("Migration(\n", *(f"        {part},\n" for part in parts), "    ),"))


@dataclass(frozen=True, slots=True)
class DatabaseView:
    """The database that the node talks to.

    Attributes:
        migrations: In the order in which they apply.
        isolation: asyncpg's word for the isolation level; empty when statements run without a transaction.
        pool_min_size: Default of the setting.
        pool_max_size: Default of the setting.
        statement_timeout_seconds: Default of the setting.
        statements: Whether any operation runs SQL.
        calls: The adapter's methods that operations call, sorted.
    """

    migrations: tuple[MigrationView, ...]
    isolation: str
    pool_min_size: int
    pool_max_size: int
    statement_timeout_seconds: float
    calls: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class AdapterView:
    """One integration's adapter.

    Attributes:
        key: Its attribute of the node's adapters, and its name in health reports.
        symbol: Its class.
    """

    key: str
    symbol: Symbol
