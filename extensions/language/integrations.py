"""What operations do with integrations, and how these are set up, as typed values."""

import types
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

type Place = Literal["redis", "memory"]
type SentAs = Literal["body", "form", "multipart", "text", "bytes"]
BODIES: tuple[SentAs, ...] = ("body", "form", "multipart", "text", "bytes")
"""What a request may carry, each by its key."""


@dataclass(frozen=True, slots=True)
class Returns:
    """What becomes of a statement's rows: how many there are, and which output fields they fill."""

    rows: Literal["one", "many", "none"]
    into: str | None
    found: str | None
    count: str | None


@dataclass(frozen=True, slots=True)
class Statement:
    """One of the SQL statements of a transaction.

    Attributes:
        name: Its name among them.
        query: The statement, with `$1`, `$2`, … for the parameters.
        parameters: Input fields, columns of statements before as `statement.column`, or references.
        rows: How many rows there are.
        required: Whether the transaction is undone where there is no row, or none is affected.
        savepoint: Whether it alone is undone where a constraint refuses it.
    """

    name: str
    query: str
    parameters: tuple[str, ...]
    rows: Literal["one", "many", "none"]
    required: bool
    savepoint: bool

    @property
    def sure(self) -> bool:
        """Whether it has rows, or none is told from them, wherever the transaction takes effect."""
        return self.required or self.rows != "one"


@dataclass(frozen=True, slots=True)
class Database:
    """An SQL statement, or several in one transaction.

    Attributes:
        query: The statement, with `$1`, `$2`, … for the parameters; empty where there are several.
        parameters: Input fields, in the order of the placeholders.
        returns: What becomes of its rows; of several statements, which output field tells whether all was found.
        transaction: False when it opts out of the node's transactions.
        asks_for_transaction: Whether the contract says in so many words that it runs in one.
        reads_only: Whether it changes nothing.
        statements: Those of one transaction; none where there is one statement alone.
        into: Of several, what output fields take: a statement, or `statement.column`.
        counts: Of several, the statements whose rows output fields count.
    """

    query: str
    parameters: tuple[str, ...]
    returns: Returns
    transaction: bool
    asks_for_transaction: bool
    reads_only: bool
    statements: tuple[Statement, ...] = ()
    into: Mapping[str, str] = types.MappingProxyType({})
    counts: Mapping[str, str] = types.MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Taken:
    """What is taken of an answer: a value of its JSON, by a JSONPath; a header, by its name; or all of something."""

    of: Literal["json", "header", "status", "text", "bytes"]
    where: str = ""


@dataclass(frozen=True, slots=True)
class Pages:
    """How a list is gathered that an API gives page by page.

    Attributes:
        link: The relation of the link to the next page, where links lead there.
        cursor: JSONPath to what asks for the next page, where such values do.
        parameter: The query parameter that takes the cursor, or the page's number where there is neither.
        first: The number of the first page.
        items: JSONPath to the items, or to the array of them.
        into: The output field that takes them.
        more: The output field that tells whether there may be more.
        at_most: How many items are taken, and pages asked for, at most.
    """

    link: str
    cursor: str
    parameter: str
    first: int
    items: str
    into: str
    more: str | None
    at_most: int


@dataclass(frozen=True, slots=True)
class Http:
    """An HTTP request.

    Attributes:
        api: The name of the API that is asked; empty for the one without a name.
        method: In upper case.
        path: Below the base URL, with references.
        query: Parameters, with references.
        headers: Headers of this request, with references.
        body: What is sent, with references; MISSING for no body.
        sent_as: What the body is: JSON, or text where the headers say so; fields of a form; parts; text; or bytes.
        omit_null: Whether members of the body without a value are left out.
        success: Status codes of success; none stands for every 2xx.
        not_found: The output field that a 404 makes false; None where that is an error.
        extract: What is taken of the answer, by output field.
        pages: How a list is gathered from pages; None where the answer is all of it.
    """

    api: str
    method: str
    path: str
    query: Mapping[str, Any]
    headers: Mapping[str, str]
    body: Any
    sent_as: SentAs
    omit_null: bool
    success: tuple[int, ...]
    not_found: str | None
    extract: Mapping[str, Taken]
    pages: Pages | None

    @property
    def takes_body(self) -> bool:
        """Whether anything is taken of the answer's body."""
        return self.pages is not None or any(taken.of not in {"header", "status"} for taken in self.extract.values())

    @property
    def adapter(self) -> str:
        """The key of the adapter of the API."""
        return f"http_{self.api}" if self.api else "http"


@dataclass(frozen=True, slots=True)
class Kafka:
    """A message to publish; key, payload and headers may hold references, and MISSING is the whole input."""

    topic: str
    key: str | None
    payload: Any
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Redis:
    """A Redis command.

    Attributes:
        command: In lower case.
        key: With references, as `field`, `value`, `amount` and `ttl_seconds`.
        field: The field of a hash.
        value: Stored as JSON; MISSING where the command takes none.
        amount: How much `incr` and `decr` change the number.
        ttl_seconds: When the key goes away.
        into: The output field that takes the value.
        into_keys: The output fields that are keys of a JSON value.
        found: The output field that tells whether the key existed or changed.
        count: The output field that tells how many there were.
        returns: Whether the contract says anything about the reply.
        if_absent: Whether it changes nothing where there is a value already.
        score: What `zadd` sorts the value by.
        score_into: The output field that takes a score, or scores.
        start: The first one that it takes; the first of all when None.
        stop: The last one; the last of all when None.
        index: The one that `lindex` takes.
        min: The least score that it takes; any when None.
        max: The greatest score.
        limit: How many it takes at most of those between scores.
        reverse: Whether it counts from the greatest score on.
    """

    command: str
    key: str
    field: str | None
    value: Any
    amount: float | str | None
    ttl_seconds: int | str | None
    into: str | None
    into_keys: tuple[str, ...]
    found: str | None
    count: str | None
    returns: bool
    if_absent: bool = False
    score: float | str | None = None
    score_into: str | None = None
    start: int | str | None = None
    stop: int | str | None = None
    index: int | str | None = None
    min: float | str | None = None
    max: float | str | None = None
    limit: int | str | None = None
    reverse: bool = False

    @property
    def by_score(self) -> bool:
        """Whether it takes what is between two scores."""
        return self.min is not None or self.max is not None


@dataclass(frozen=True, slots=True)
class Filesystem:
    """An action on a file; path, content and `to` may hold references, and MISSING is no content.

    Of `list`, the path is a folder's, and empty for the root.
    """

    action: Literal["read", "write", "append", "delete", "list", "exists", "move"]
    path: str
    content: Any
    into: str | None
    found: str | None
    to: str | None = None
    count: str | None = None


@dataclass(frozen=True, slots=True)
class Cache:
    """How results of an operation that only reads are kept.

    Attributes:
        place: Where.
        key: The key, with references to the input; without any, the input's hash follows it.
        ttl_seconds: How old a result may be.
        max_entries: How many are kept in memory at most.
    """

    place: Place
    key: str
    ttl_seconds: float
    max_entries: int = 1000


@dataclass(frozen=True, slots=True)
class Invalidation:
    """What is forgotten when an operation has run.

    Attributes:
        operation: The operation whose results were kept.
        key: Their key, with references to the input of the one that has run.
    """

    operation: str
    key: str


@dataclass(frozen=True, slots=True)
class ConsumedEvent:
    """An event that an operation handles.

    Attributes:
        event: Its name, or its topic.
        operation: The operation.
        where: The condition on the operation's input under which it is taken; empty for always.
        map: What fills input fields that the event calls otherwise: references to `event`, or values.
    """

    event: str
    operation: str
    where: str = ""
    map: Mapping[str, Any] = types.MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Migration:
    """One step of the database's schema."""

    id: str
    sql: str
    transaction: bool = True


@dataclass(frozen=True, slots=True)
class DatabaseIntegration:
    """Settings of the database."""

    migrations: tuple[Migration, ...]
    pool_min_size: int
    pool_max_size: int
    statement_timeout_seconds: float | None


@dataclass(frozen=True, slots=True)
class ApiClient:
    """Settings of an HTTP API; base URL and headers may refer to env and secret."""

    base_url: str | None = None
    timeout_seconds: float = 30
    headers: Mapping[str, str] = types.MappingProxyType({})
    health_path: str | None = None


@dataclass(frozen=True, slots=True)
class KafkaIntegration:
    """Settings of Kafka; the brokers may refer to env."""

    bootstrap_servers: str | None = None
    group_id: str | None = None
    outbox_max_messages: int = 100_000


@dataclass(frozen=True, slots=True)
class RedisIntegration:
    """Settings of Redis; its URL may refer to env and secret."""

    url: str | None = None
    max_connections: int = 50
    timeout_seconds: float = 5


@dataclass(frozen=True, slots=True)
class FilesystemIntegration:
    """Settings of files; the root may refer to env."""

    root: str = "data"
    max_bytes: int = 10_485_760
