"""What templates are handed about HTTP, Kafka, Redis and files: settings and the code of each operation's call."""

import builtins
import keyword
from collections.abc import Collection
from dataclasses import dataclass

from ..language import expressions, names
from ..language.contract import Contract, Operation
from ..language.integrations import (
    ApiClient,
    ConsumedEvent,
    FilesystemIntegration,
    KafkaIntegration,
    RedisIntegration,
)
from ..language.references import Reference, Resolver, literal_of, member_of, parts, references, resolved
from ..language.values import EVENT
from ..text import encode, unparsed
from . import computation, topics
from .fields import Symbol

_TAKEN_SETTINGS = frozenset(
    {"cleaned", "construct", "copy", "dict", "from_orm", "json", "masked_fields", "parse_obj", "redact", "require"}
    | {"schema", "validate"}
)
DEFAULT_RETRY_STATUS = (429, 502, 503, 504)


@dataclass(frozen=True, slots=True)
class EnvironmentView:
    """One environment variable or secret that the contract refers to.

    Attributes:
        variable: Its name in the environment.
        setting: The setting that holds it.
        secret: Whether it is a secret.
    """

    variable: str
    setting: str
    secret: bool


@dataclass(frozen=True, slots=True)
class PlaceView:
    """Where an integration is: a URL, brokers or a folder.

    Attributes:
        setting: The setting that tests and people override.
        secret: Whether that setting is a secret.
        default: Its default; None when it has none.
        own: Whether the setting is the integration's own, not one that the contract refers to.
        code: Code of the value, from `settings`.
        needs: The settings that `code` takes from variables called `env_` and the setting's name.
    """

    setting: str
    secret: bool
    default: str | None
    own: bool
    code: str
    needs: tuple[str, ...] = ()

    def given(self, value: str) -> str:
        """Return code of a value for the setting, made from the code of a string."""
        return f"SecretStr({value})" if self.secret else value


@dataclass(frozen=True, slots=True)
class HttpView:
    """An HTTP API.

    Attributes:
        key: The key of its adapter, with which its settings begin.
        name: Its name in the contract; empty for the one without a name.
        base_url: Where it is.
        timeout_seconds: Default of the setting.
        headers: Pairs of name and code of the value, of every request.
        header_needs: The settings that these take from variables called `env_` and the setting's name.
        health_path: What the health check asks for; empty for the base URL.
        retry_status: Status codes that are worth another attempt, where it does no harm.
    """

    key: str
    name: str
    base_url: PlaceView
    timeout_seconds: float
    headers: tuple[tuple[str, str], ...]
    header_needs: tuple[str, ...]
    health_path: str
    retry_status: tuple[int, ...]

    @property
    def title(self) -> str:
        """What people call it."""
        return f"the HTTP API {self.name}" if self.name else "the HTTP API"

    @property
    def health_url_path(self) -> str:
        """The path that the health check asks for, when the base URL has none."""
        return f"/{self.health_path.lstrip('/')}"


@dataclass(frozen=True, slots=True)
class RedisView:
    """Redis: where it is, and the defaults of its settings."""

    url: PlaceView
    max_connections: int
    timeout_seconds: float


@dataclass(frozen=True, slots=True)
class FilesView:
    """Files: their root, and the default of the limit of their size in bytes."""

    root: PlaceView
    max_bytes: int


@dataclass(frozen=True, slots=True)
class ConsumedView:
    """An event that the node consumes.

    Attributes:
        topic: Its topic.
        event: Its name in it.
        key: Its name in code.
        constant: The operation's enum member.
        input: The operation's input, module and class.
        members: Pairs of an input field and the code of what fills it in place of the member of its name.
        where: Code of the condition on `event`, the operation's input, under which it is taken; empty for always.
        condition: The same as the contract has it.
        enums: The enums that this code names.
    """

    topic: str
    event: str
    key: str
    constant: str
    input: Symbol
    members: tuple[tuple[str, str], ...] = ()
    where: str = ""
    condition: str = ""
    enums: tuple[str, ...] = ()

    @property
    def selects(self) -> bool:
        """Whether the operation takes less or other things of it than its members by their names."""
        return bool(self.members or self.where)


@dataclass(frozen=True, slots=True)
class DeadLetterView:
    """Where messages go that can't be handled, and when that raises an alert."""

    max_retries: int
    topic_suffix: str
    retry_delay_seconds: float
    alert_threshold: int
    alert: bool
    alert_window_seconds: float | None


@dataclass(frozen=True, slots=True)
class KafkaView:
    """Kafka.

    Attributes:
        servers: The brokers.
        group_id: The consumer group.
        outbox_max_messages: Default of the setting.
        consumed: The events that the node consumes.
        dead_letters: None where messages that can't be handled are only logged.
        publishes: Whether the node publishes anything.
    """

    servers: PlaceView
    group_id: str
    outbox_max_messages: int
    consumed: tuple[ConsumedView, ...]
    dead_letters: DeadLetterView | None
    publishes: bool


class Environment:
    """The environment variables and secrets of a contract, and the settings that hold them."""

    def __init__(self, contract: Contract, taken: Collection[str]) -> None:
        """Collect them.

        Args:
            contract: A contract without problems.
            taken: Names of settings that the node has anyway.
        """
        places: list[object] = [
            *(place for client in contract.clients.values() for place in (client.base_url, client.headers)),
            contract.kafka.bootstrap_servers if contract.kafka else None,
            contract.redis.url if contract.redis else None,
            contract.filesystem.root if contract.filesystem else None,
            contract.observability.tracing.endpoint if contract.observability.tracing else None,
        ]
        for operation in contract.operations:
            places += texts_of(operation)
        found: dict[str, EnvironmentView] = {}
        for reference in (reference for place in places for reference in references(place)):
            if reference.source not in {"env", "secret"}:
                continue
            name = reference.name.lower()
            known = found.get(name)
            clash = (
                name in taken
                or name in _TAKEN_SETTINGS
                or name.startswith(("_", "model_"))
                or keyword.iskeyword(name)
                or hasattr(builtins, name)
            )
            found[name] = EnvironmentView(
                variable=reference.name,
                setting=f"env_{name.lstrip('_')}" if clash else name,
                secret=reference.source == "secret" or bool(known and known.secret),
            )
        self._found = found

    @property
    def all(self) -> tuple[EnvironmentView, ...]:
        """All of them, by name."""
        return tuple(self._found[name] for name in sorted(self._found))

    def setting(self, reference: Reference) -> str:
        """Return the setting that holds what a reference is to."""
        return self._found[reference.name.lower()].setting

    def place(self, text: str | None, own: str, *, secret: bool, default: str | None = None) -> PlaceView:
        """Return where an integration is.

        Args:
            text: What the contract says, with references; None for nothing.
            own: The setting that serves when the contract does not refer to one.
            secret: Whether that setting is a secret.
            default: Its default when the contract says nothing.

        Returns:
            The place.
        """
        pieces = parts(text or "")
        if len(pieces) == 1 and isinstance(pieces[0], Reference):
            view = self._found[pieces[0].name.lower()]
            return PlaceView(view.setting, view.secret, None, own=False, code=f'settings.require("{view.setting}")')
        required = f'settings.require("{own}")'
        if any(isinstance(piece, Reference) for piece in pieces):
            resolver = Resolver((), (), self.setting)
            return PlaceView(own, secret, None, own=True, code=resolver.text(text or ""), needs=resolver.needs(text))
        return PlaceView(own, secret, literal_of(text) if text else default, own=True, code=required)


def http_views(contract: Contract, environment: Environment) -> tuple[HttpView, ...]:
    """Return what templates need to know about the HTTP APIs."""
    return tuple(_http_view(contract, environment, key, client) for key, client in contract.clients.items())


def _http_view(contract: Contract, environment: Environment, key: str, client: ApiClient) -> HttpView:
    resolver = Resolver((), (), environment.setting)
    listed = contract.retry.retryable_status_codes if contract.retry else ()
    return HttpView(
        key=key,
        name=key.removeprefix("http").removeprefix("_"),
        base_url=environment.place(client.base_url, f"{key}_base_url", secret=False),
        timeout_seconds=client.timeout_seconds,
        headers=tuple((name, resolver.text(value)) for name, value in client.headers.items()),
        header_needs=resolver.needs(client.headers),
        health_path=client.health_path or "",
        retry_status=listed or DEFAULT_RETRY_STATUS,
    )


def redis_view(contract: Contract, environment: Environment) -> RedisView:
    """Return what templates need to know about Redis."""
    settings = contract.redis or RedisIntegration()
    default = "redis://127.0.0.1:6379/0"
    return RedisView(
        url=environment.place(settings.url, "redis_url", secret=True, default=default),
        max_connections=settings.max_connections,
        timeout_seconds=settings.timeout_seconds,
    )


def files_view(contract: Contract, environment: Environment) -> FilesView:
    """Return what templates need to know about files."""
    settings = contract.filesystem or FilesystemIntegration()
    return FilesView(environment.place(settings.root, "files_root", secret=False), settings.max_bytes)


def _consumed(contract: Contract, event: ConsumedEvent) -> ConsumedView:
    topic = topics.of_message(contract, event.event)
    operation = next(operation for operation in contract.operations if operation.name == event.operation)
    read = None
    if event.where:
        scope = computation.scope_of(contract, EVENT, operation.input, EVENT, total=True)
        read = expressions.read(event.where, scope)
    members = []
    for name, value in event.map.items():
        path = member_of(value, EVENT)
        members.append((name, f"Member({encode.py(path)})" if path else encode.py(resolved(value))))
    stem = names.pascal(event.operation)
    return ConsumedView(
        topic=topic,
        event=topics.event_of(topic),
        key=topics.key(topic, topics.consumed(contract)),
        constant=names.constant(event.operation),
        input=(f"models.model_{names.snake(f'{stem}Input')}", names.model_class(f"{stem}Input")),
        members=tuple(members),
        where=unparsed.code(read.tree) if read else "",
        condition=event.where,
        enums=tuple(sorted(read.enums)) if read else (),
    )


def kafka_view(contract: Contract, environment: Environment) -> KafkaView:
    """Return what templates need to know about Kafka."""
    settings = contract.kafka or KafkaIntegration()
    queue = contract.dead_letter_queue
    default = "127.0.0.1:9092"
    consumed = tuple(_consumed(contract, event) for event in contract.consumed_events)
    return KafkaView(
        servers=environment.place(settings.bootstrap_servers, "kafka_bootstrap_servers", secret=False, default=default),
        group_id=settings.group_id or names.node_name(contract),
        outbox_max_messages=settings.outbox_max_messages,
        consumed=consumed,
        dead_letters=DeadLetterView(
            max_retries=queue.max_retries,
            topic_suffix=queue.topic_suffix,
            retry_delay_seconds=queue.retry_delay_ms / 1000,
            alert_threshold=queue.alert_threshold,
            alert=queue.alert,
            alert_window_seconds=queue.alert_window_seconds,
        )
        if queue and consumed
        else None,
        publishes=any(operation.kafka or operation.publishes for operation in contract.operations),
    )


def texts_of(operation: Operation) -> list[object]:
    """Return what references may stand in, of what an operation does with an integration."""
    found: list[object] = []
    if http := operation.http:
        found += [http.path, http.query, http.headers, http.body]
    if kafka := operation.kafka:
        found += [kafka.key, kafka.payload, kafka.headers]
    if redis := operation.redis:
        found += [redis.key, redis.field, redis.value]
    if files := operation.filesystem:
        found += [files.path, files.content]
    return found
