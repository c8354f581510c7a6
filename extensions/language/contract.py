"""A contract as typed values, every short form spelled out and every default filled in."""

import enum
import types
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from ..text.specs import mapping_of
from .aggregation import Aggregate
from .deployment import Consul, Deployment, Service
from .fsm import Fsm, StateStore
from .integrations import (
    ApiClient,
    Cache,
    ConsumedEvent,
    Database,
    DatabaseIntegration,
    Filesystem,
    FilesystemIntegration,
    Http,
    Invalidation,
    Kafka,
    KafkaIntegration,
    Redis,
    RedisIntegration,
)
from .publishing import Publication
from .workflow import Workflow


class _Missing(enum.Enum):
    MISSING = "missing"


MISSING: Final = _Missing.MISSING
"""Stands for a default that was not given, since null is a default like any other."""

BASE_TYPES = (
    "string",
    "integer",
    "number",
    "boolean",
    "uuid",
    "datetime",
    "date",
    "time",
    "duration",
    "decimal",
    "bytes",
    "object",
    "array",
)
FEATURE_ALIASES = {
    "resilience": "retry",
    "fault_tolerance": "circuit_breaker",
    "discovery": "service_discovery",
    "strict": "fail_fast",
    "command_line": "cli",
    "stamping": "canonical_yaml",
    "workflow": "hybrid_execution",
    "database": "persistence",
    "api_client": "http_client",
    "kafka": "event_driven",
}


@dataclass(frozen=True, slots=True)
class Union:
    """One of several models, which a field with a value of its own in each of them tells apart."""

    models: tuple[str, ...]
    discriminator: str


@dataclass(frozen=True, slots=True)
class Field:
    """A field of an input, an output or a model.

    Attributes:
        name: Its name.
        kind: One of BASE_TYPES, or `enum`, `model` or `union`.
        reference: The enum, model or union that it names.
        items: What an array or an object holds; None for anything.
        constraints: JSON Schema keywords.
        default: The value when it is left out, or MISSING.
        required: False when it may be left out, and may be null.
        description: What it means.
        alias: Its name outside of the node; empty where that is its own.
        union: What the union that it names consists of.
        secret: Whether its value is kept out of logs, errors, events and samples.
    """

    name: str
    kind: str
    reference: str | None
    items: "Field | None"
    constraints: Mapping[str, Any]
    default: Any
    required: bool
    description: str
    alias: str = ""
    secret: bool = False
    union: Union | None = None

    @property
    def outside(self) -> str:
        """Its name outside of the node."""
        return self.alias or self.name


@dataclass(frozen=True, slots=True)
class EnumType:
    """A named set of values."""

    name: str
    values: tuple[str, ...]
    description: str


@dataclass(frozen=True, slots=True)
class Model:
    """A named set of fields."""

    name: str
    fields: tuple[Field, ...]
    description: str


@dataclass(frozen=True, slots=True)
class Retry:
    """A retry policy."""

    enabled: bool = True
    max_attempts: int = 3
    initial_delay_ms: float = 100
    max_delay_ms: float = 10_000
    backoff_multiplier: float = 2.0
    retryable_exceptions: tuple[str, ...] = ()
    retryable_status_codes: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class ServiceBreaker:
    """What differs for one integration's circuit breaker; None stands for no difference."""

    failure_threshold: int | None = None
    recovery_timeout_ms: float | None = None


@dataclass(frozen=True, slots=True)
class CircuitBreaker:
    """Settings of the circuit breakers."""

    enabled: bool
    failure_threshold: int
    recovery_timeout_ms: float
    half_open_max_calls: int
    services: Mapping[str, ServiceBreaker]


@dataclass(frozen=True, slots=True)
class Transactions:
    """Whether and how statements run in transactions."""

    enabled: bool
    isolation_level: str
    timeout_seconds: float | None


@dataclass(frozen=True, slots=True)
class DeadLetterQueue:
    """Where messages go that can't be handled.

    Attributes:
        enabled: False for nowhere.
        max_retries: Attempts after the first one.
        topic_suffix: What is added to the topic's name.
        retry_delay_ms: Before each further attempt.
        alert_threshold: Dead letters from which on the alert is raised.
        alert: Whether there is one.
        alert_window_seconds: Only letters that are not older count for it; None for all.
    """

    enabled: bool = True
    max_retries: int = 3
    topic_suffix: str = ".dlq"
    retry_delay_ms: float = 1000
    alert_threshold: int = 100
    alert: bool = True
    alert_window_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class SecurityValidation:
    """What inputs and logs are checked for beyond their types."""

    enabled: bool = True
    sanitize_inputs: bool = False
    sanitize_logs: bool = False
    validate_sql: bool = True
    max_input_length: int | None = None
    forbidden_patterns: tuple[str, ...] = ()
    redact_fields: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Tracing:
    """Where spans go; the endpoint may refer to env."""

    enabled: bool = True
    exporter: Literal["otlp", "console", "none"] = "otlp"
    endpoint: str | None = None
    sample_rate: float = 1.0


@dataclass(frozen=True, slots=True)
class Observability:
    """Traces, metrics and logs.

    Attributes:
        tracing: None for no traces.
        metrics: Whether there are any.
        prometheus_port: A port of their own; None for the service's.
        json_logs: False for lines for people.
        correlation: Whether log lines carry the correlation id.
        export_interval_seconds: How often metrics are to be asked for; None where the contract does not say.
    """

    tracing: Tracing | None = None
    metrics: bool = True
    prometheus_port: int | None = None
    json_logs: bool = True
    correlation: bool = True
    export_interval_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class RateLimiting:
    """How many operations there may be each second, and at once after a pause."""

    requests_per_second: float = 100
    burst: int | None = None


@dataclass(frozen=True, slots=True)
class Caching:
    """How long results are kept, and how many of them at most."""

    ttl_seconds: int = 300
    max_entries: int = 1000


@dataclass(frozen=True, slots=True)
class Example:
    """An input and the output that it leads to."""

    input: Mapping[str, Any]
    output: Mapping[str, Any]
    description: str


@dataclass(frozen=True, slots=True)
class Target:
    """Objectives: 95 of 100 runs take at most `p95_ms`, and `per_second` runs are done each second."""

    p95_ms: float | None
    per_second: float | None


@dataclass(frozen=True, slots=True)
class Schedule:
    """When an operation runs by itself: so many seconds after the last run, or at the times of a cron expression."""

    every_seconds: float | None
    cron: str = ""
    time_zone: str = "UTC"


@dataclass(frozen=True, slots=True)
class Operation:
    """One thing that the node does.

    Attributes:
        requirements: Distributions that its custom handler needs.
        settings: What its custom handler is set up by.
        then: Expressions on its result, by the output field that they fill.
        scopes: What a caller of the service needs to be allowed; all of them.
        cache: How its results are kept; None for not at all.
        invalidates: The kept results that it changes.
        idempotency_key: Whether answers are kept by the keys of their requests.
    """

    name: str
    description: str
    input: tuple[Field, ...]
    output: tuple[Field, ...]
    database: Database | None
    http: Http | None
    kafka: Kafka | None
    redis: Redis | None
    filesystem: Filesystem | None
    compute: Mapping[str, str] | None
    aggregate: Aggregate | None
    by_state_machine: bool
    workflow: Workflow | None
    publishes: tuple[Publication, ...]
    schedule: Schedule | None
    examples: tuple[Example, ...]
    target: Target | None
    timeout_seconds: float | None
    idempotent: bool | None
    retry: Retry | None
    requirements: tuple[str, ...] = ()
    settings: tuple[Field, ...] = ()
    scopes: tuple[str, ...] = ()
    cache: Cache | None = None
    invalidates: tuple[Invalidation, ...] = ()
    idempotency_key: bool = False
    then: Mapping[str, str] = types.MappingProxyType({})

    @property
    def made(self) -> tuple[Field, ...]:
        """The output fields that its implementation fills: all but those that `then` works out."""
        return tuple(field for field in self.output if field.name not in self.then)

    @property
    def custom(self) -> bool:
        """Whether its author writes its handler."""
        calls = (self.database, self.http, self.kafka, self.redis, self.filesystem)
        works_out = (self.compute, self.aggregate, self.workflow)
        return not self.by_state_machine and all(part is None for part in (*calls, *works_out))


@dataclass(frozen=True, slots=True)
class Mixin:
    """A mixin that the contract says something about, of those that can be part of a node."""

    name: str
    enabled: bool
    config: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Contract:
    """A contract without problems.

    Attributes:
        classified: Why the node has its type; empty where the contract says the type.
        features: Canonical words, aliases resolved.
        database: None when the contract says nothing about the database; the same for the other integrations.
        apis: HTTP APIs by name, beside the one without a name, which is `api_client`.
        integrations_off: The integrations whose detection it turns off.
    """

    name: str
    node_type: str
    classified: tuple[str, ...]
    version: str
    package: str
    description: str
    domain: str
    features: tuple[str, ...]
    dependencies: Mapping[str, str]
    enums: tuple[EnumType, ...]
    models: tuple[Model, ...]
    operations: tuple[Operation, ...]
    database: DatabaseIntegration | None
    api_client: ApiClient | None
    apis: Mapping[str, ApiClient]
    kafka: KafkaIntegration | None
    redis: RedisIntegration | None
    filesystem: FilesystemIntegration | None
    consul: Consul | None
    integrations_off: tuple[str, ...]
    retry: Retry | None
    circuit_breaker: CircuitBreaker | None
    transactions: Transactions | None
    dead_letter_queue: DeadLetterQueue | None
    security: SecurityValidation | None
    observability: Observability
    rate_limiting: RateLimiting | None
    caching: Caching | None
    consumed_events: tuple[ConsumedEvent, ...]
    mixins: tuple[Mixin, ...]
    fsm: Fsm | None
    state_store: StateStore | None
    run_store: StateStore | None
    figure_store: StateStore | None
    service: Service
    deployment: Deployment
    template_variant: str | None
    validation_level: str
    layout: str
    runtime: str

    @property
    def clients(self) -> dict[str, ApiClient]:
        """The HTTP APIs that it can ask, by the keys of their adapters; `http` is the one without a name."""
        asked = any(operation.http and not operation.http.api for operation in self.operations)
        unnamed = asked or self.api_client is not None or not self.apis
        named = {f"http_{name}": client for name, client in self.apis.items()}
        return ({"http": self.api_client or ApiClient()} if unnamed else {}) | named


def spell_out(spec: str | Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the long form of a field; its type is text, or there is none, whatever the contract says."""
    if isinstance(spec, str):
        return {"type": spec}
    return spec if isinstance(spec.get("type", ""), str) else {**spec, "type": ""}


def spelled_out(fields: object) -> dict[str, Mapping[str, Any]]:
    """Return fields by name, those in the short form in the long one, without what is no field."""
    return {name: spell_out(spec) for name, spec in mapping_of(fields).items() if isinstance(spec, (str, Mapping))}


def build_security(spec: Mapping[str, Any] | None) -> SecurityValidation | None:
    """Return what inputs and logs are checked for; None for nothing."""
    if spec is None:
        return None
    settings: dict[str, Any] = {key: tuple(value) if isinstance(value, list) else value for key, value in spec.items()}
    security = SecurityValidation(**settings)
    return security if security.enabled else None


def environment_text(value: str | float) -> str:
    """Return the text of an environment variable for a value of YAML, booleans as settings read them."""
    return str(value).lower() if isinstance(value, bool) else str(value)
