"""What is known of a node without looking at its operations."""

from dataclasses import dataclass

from ..deciding.decisions import (
    BaseClass,
    Decision,
)
from ..language import names
from ..language.contract import Caching, Contract
from ..language.deployment import Consul
from ..project.places import Place
from ..text import encode
from ..text.problems import Problem
from . import fsm as fsm_viewing
from . import runtime
from .fields import Symbol
from .integrations import Environment, FilesView, HttpView, KafkaView, RedisView
from .operation import OperationView
from .resilience import BreakerView, RetryView, guard
from .types import AdapterView, DatabaseView, EnumView, MigrationView, TypeView, reached


@dataclass(frozen=True, slots=True)
class NodeFacts:
    """What a node is called, what it is made of, and what it talks to. Symbols are pairs of module and name."""

    contract: Contract
    name: str
    full_name: str
    node_type: str
    class_name: str
    stem: str
    words: str
    package: str
    package_path: str
    package_parents: tuple[str, ...]
    module: str
    distribution: str
    version: str
    version_map: tuple[int, int, int]
    description: str
    title: str
    node: Symbol
    lifecycle: Symbol
    settings: Symbol
    handler: Symbol
    request: Symbol
    response: Symbol
    operation_enum: Symbol
    command_topic: str
    completed_topic: str
    base: BaseClass
    decisions: tuple[Decision, ...]
    not_generated: tuple[str, ...]
    unanswered: tuple[Problem, ...]
    enums: tuple[EnumView, ...]
    models: tuple[TypeView, ...]
    operations: tuple[OperationView, ...]
    database: DatabaseView | None
    apis: tuple[HttpView, ...]
    redis: RedisView | None
    kafka: KafkaView | None
    files: FilesView | None
    environment: Environment
    retry: RetryView | None
    breaker: BreakerView | None
    own_breakers: tuple[tuple[str, int, float], ...]
    consul: Consul | None
    has_bytes: bool
    has_datetimes: bool
    type_modules: frozenset[str]
    host: str
    port: int
    fsm: fsm_viewing.FsmView | None

    def guard(self, adapter: str) -> str:
        """Return code of what guards the calls of an adapter, with the node's settings as `settings`."""
        return guard(adapter, self.retry, self.breaker, [key for key, _, _ in self.own_breakers])

    def retried(self, adapter: str) -> tuple[str, ...] | None:
        """Return the errors that the contract lists for another attempt at an adapter's calls; None for no attempt."""
        return tuple(sorted(set(self.retry.retryable_exceptions))) if self.retry and self._guards(adapter) else None

    def broken(self, adapter: str) -> str | None:
        """Return the name of the circuit breaker of an adapter's calls, if there is one."""
        return adapter if self.breaker and self._guards(adapter) else None

    def _guards(self, adapter: str) -> bool:
        # Kafka's library and the file system have no attempts of the node's own.
        return adapter not in {"kafka", "files"}

    @property
    def place(self) -> Place:
        """Where the node's files are in its project."""
        return names.place(self.contract)

    @property
    def package_folder(self) -> str:
        """The folder of the package that holds the node, in the project."""
        return f"src/{self.package_path}"

    @property
    def folder(self) -> str:
        """The folder of the node's code, in the project."""
        return f"{self.package_folder}/nodes/{self.full_name}"

    @property
    def own_packages(self) -> tuple[str, ...]:
        """The packages that come with the node: those that it is generated into are there."""
        return () if self.place.inside else self.package_parents

    @property
    def runtime(self) -> str:
        """The package of what all nodes have in common."""
        return runtime.package(self.contract, self.module)

    @property
    def migrations_folder(self) -> str:
        """The folder of the migrations: in a project that is there, the node's own."""
        return f"{self.folder}/migrations" if self.place.inside else "migrations"

    @property
    def regenerate(self) -> str:
        """The command that lets the node follow its contract."""
        return self.place.regenerate

    @property
    def is_compute(self) -> bool:
        """Whether the node calculates."""
        return self.node_type == "compute"

    @property
    def renamed(self) -> tuple[TypeView, ...]:
        """The types with fields that have other names outside."""
        return tuple(made for made in self.types if made.has_other_names)

    @property
    def idle(self) -> tuple[TypeView | EnumView, ...]:
        """The enums and models that no operation takes or gives."""
        used = reached(self.contract)
        every: tuple[TypeView | EnumView, ...] = (*self.enums, *self.models)
        return tuple(made for made in every if made.name not in used)

    @property
    def secretive(self) -> tuple[TypeView, ...]:
        """The types with fields whose values are shown to nobody."""
        return tuple(made for made in self.types if made.secrets)

    @property
    def has_secrets(self) -> bool:
        """Whether some fields are kept out of events, logs and samples."""
        return "secrets" in self.type_modules

    @property
    def caching(self) -> Caching | None:
        """How results are kept, if they are."""
        return self.contract.caching

    @property
    def is_effect(self) -> bool:
        """Whether the node acts on the world."""
        return self.node_type == "effect"

    @property
    def is_orchestrator(self) -> bool:
        """Whether the node coordinates others."""
        return self.node_type == "orchestrator"

    @property
    def types(self) -> tuple[TypeView, ...]:
        """Every model of its own file: the contract's models, and the operations' inputs and outputs."""
        return (*self.models, *(side for operation in self.operations for side in (operation.input, operation.output)))

    @property
    def migrations(self) -> tuple[MigrationView, ...]:
        """The migrations of the database, if there are any."""
        return self.database.migrations if self.database else ()

    @property
    def adapters(self) -> tuple[AdapterView, ...]:
        """The adapters of the integrations that the node has."""
        known = {
            "postgres": (self.database, "AdapterPostgres"),
            **{api.key: (api, "AdapterHttp") for api in self.apis},
            "redis": (self.redis, "AdapterRedis"),
            "kafka": (self.kafka, "AdapterKafka"),
            "files": (self.files, "AdapterFiles"),
        }
        return tuple(
            AdapterView(key, self.own(f"adapters.{names.snake(made)}", made))
            for key, (has, made) in known.items()
            if has
        )

    @property
    def guarding(self) -> bool:
        """Whether it talks to something whose calls may be retried, or stopped by a circuit breaker."""
        return bool(self.database or self.apis or self.redis)

    @property
    def command_line(self) -> bool:
        """Whether operations may be called from the command line."""
        return "cli" in self.contract.features

    @property
    def is_generic(self) -> bool:
        """Whether the base class is told the types of its input and output."""
        return self.is_reducer or self.is_compute

    @property
    def is_reducer(self) -> bool:
        """Whether the node folds events."""
        return self.node_type == "reducer"

    @property
    def summary(self) -> str:
        """The description on one line, or a sentence in its place."""
        return encode.one_line(self.description) or self.title

    def own(self, module: str, name: str) -> Symbol:
        """Return the symbol of something in the node's own package, or in what all nodes have in common."""
        return f"{self.runtime if runtime.holds(module) else self.module}.{module}", name
