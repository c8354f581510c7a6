"""The settings of a generated node: only those that something in it reads."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..language.callers import Bearer
from ..language.contract import MISSING, Contract
from ..text import encode
from .fields import CONSTRAINTS
from .integrations import PlaceView

if TYPE_CHECKING:
    from .node import NodeView

NAMES = frozenset(
    {
        *("node_transport", "run_lease_seconds", "cache_enabled", "cache_ttl_seconds", "cache_max_entries"),
        "idempotency_key_seconds",
        *("database_url", "database_pool_min_size", "database_pool_max_size", "database_connect_timeout_seconds"),
        *("database_statement_timeout_seconds", "database_migrate_on_start"),
        *("redis_max_connections", "redis_timeout_seconds"),
        *("kafka_publish_timeout_seconds", "outbox_path", "outbox_max_messages", "kafka_consumer_group"),
        "kafka_max_message_bytes",
        *("dead_letter_max_retries", "dead_letter_retry_delay_seconds", "dead_letter_alert_threshold"),
        "dead_letter_alert_window_seconds",
        *("files_max_bytes", "retry_max_attempts", "retry_initial_delay_seconds", "retry_max_delay_seconds"),
        *("retry_backoff_multiplier", "circuit_breaker_failure_threshold", "circuit_breaker_recovery_seconds"),
        *("circuit_breaker_half_open_max_calls", "service_host", "service_port", "service_max_body_bytes"),
        *("service_tls_cert_file", "service_tls_key_file"),
        *("consul_register", "consul_http_addr", "consul_http_token", "consul_service_name", "consul_service_address"),
        *("consul_service_port", "consul_check_interval_seconds", "consul_check_timeout_seconds"),
        *("consul_deregister_after_seconds", "consul_refresh_seconds"),
        *("service_max_answer_bytes", "service_max_connections", "service_receive_seconds", "service_send_seconds"),
        *("service_drain_seconds", "health_check_timeout_seconds", "log_level", "log_format", "log_correlation_ids"),
        *("metrics_port", "tracing_enabled", "tracing_exporter", "tracing_sample_rate", "tracing_endpoint"),
        *("rate_limit_enabled", "rate_limit_requests_per_second", "rate_limit_burst", "security_max_input_length"),
        *("security_sanitize_inputs", "security_sanitize_logs", "security_forbidden_patterns"),
        *("security_redact_fields", "service_api_keys", "service_auth_issuer", "service_auth_audience"),
        *("service_auth_jwks_url", "service_auth_algorithms", "service_auth_clock_skew_seconds"),
        *("service_auth_scopes_claim", "service_auth_jwks_refresh_seconds", "service_auth_jwks_max_age_seconds"),
        *("service_auth_ca_file", "kafka_security_protocol", "kafka_sasl_mechanism", "kafka_sasl_username"),
        "kafka_sasl_password",
        *(
            f"{key}_tls_{file}_file"
            for key in ("database", "redis", "kafka", "consul")
            for file in ("ca", "cert", "key")
        ),
        *(f"{key}_circuit_breaker_failure_threshold" for key in ("postgres", "redis")),
        *(f"{key}_health_check_timeout_seconds" for key in ("postgres", "redis", "kafka", "files")),
        *(f"{key}_circuit_breaker_recovery_seconds" for key in ("postgres", "redis")),
    }
)
_OF_AN_API = (
    *("timeout_seconds", "max_connections", "max_answer_bytes", "circuit_breaker_failure_threshold"),
    *("circuit_breaker_recovery_seconds", "health_check_timeout_seconds"),
)


def names(contract: Contract) -> frozenset[str]:
    """Return the names that settings of integrations and features may have."""
    return NAMES | {f"{key}_{setting}" for key in ("http", *contract.clients) for setting in _OF_AN_API}


_KINDS = {"string": "str", "integer": "int", "number": "float", "boolean": "bool"}
_BEFORE_DEFAULT = len("        default=,")
_BEFORE_ITEM = len("            ,")


@dataclass(frozen=True, slots=True)
class SettingView:
    """One setting: field, type and default as code, further arguments of its Field, meaning, environment variable."""

    name: str
    type: str
    default: str
    arguments: tuple[str, ...]
    description: str
    variable: str


def fields(node: "NodeView") -> tuple[SettingView, ...]:
    """Return the settings of a node.

    Args:
        node: The node.

    Returns:
        The settings, in the order of the file.
    """
    return _Settings(node).all()


def out_of_bounds(setting: SettingView) -> Iterator[tuple[str, str]]:
    """Yield the setting's environment variable with values that its bounds just refuse.

    Args:
        setting: A setting.
    """
    for argument in setting.arguments:
        bound, _, value = argument.partition("=")
        if bound in {"gt", "lt"}:
            yield setting.variable, value
        elif bound in {"ge", "le"} and value.isdigit():
            yield setting.variable, str(int(value) + (1 if bound == "le" else -1))


def _spread(values: Sequence[str]) -> str:
    """Return a tuple as the default of a setting, one item a line where it does not fit."""
    line = encode.py(tuple(values))
    if encode.width(line) + _BEFORE_DEFAULT <= encode.LINE_LENGTH:
        return line
    return "(\n" + "".join(f"            {value},\n" for value in map(_item, values)) + "        )"


def _item(value: str) -> str:
    code = encode.py(value)
    if not isinstance(value, encode.Code) or encode.width(code) + _BEFORE_ITEM <= encode.LINE_LENGTH:
        return code
    call, _, rest = code.partition("(")
    return f"{call}(\n                {rest[:-1]}\n            )"


class _Settings:
    def __init__(self, node: "NodeView") -> None:
        self.node = node
        self.found: list[SettingView] = []

    def all(self) -> tuple[SettingView, ...]:
        self.environment()
        self.custom()
        self.database()
        self.http()
        self.redis()
        self.kafka()
        self.files()
        self.retry()
        self.breaker()
        self.security()
        self.rate_limit()
        self.tracing()
        self.workflows()
        self.caching()
        self.service()
        return tuple(self.found)

    def add(self, name: str, kind: str, default: object, description: str, *arguments: str) -> None:
        self.found.append(SettingView(name, kind, encode.py(default), arguments, description, name.upper()))

    def place(self, view: PlaceView, description: str) -> None:
        if not view.own or any(setting.name == view.setting for setting in self.found):
            return
        kind = "SecretStr" if view.secret else "str"
        if view.default is None:
            self.add(view.setting, f"{kind} | None", None, description)
        else:
            default = view.given(encode.py(view.default))
            self.found.append(SettingView(view.setting, kind, default, (), description, view.setting.upper()))

    def environment(self) -> None:
        for variable in self.node.environment.all:
            kind = "SecretStr | None" if variable.secret else "str | None"
            renamed = variable.setting.upper() != variable.variable.upper()
            alias = (f"validation_alias={encode.py(variable.variable)}",) if renamed else ()
            meaning = f"{variable.variable}, which the contract names."
            view = SettingView(variable.setting, kind, "None", alias, meaning, variable.variable.upper())
            self.found.append(view)

    def custom(self) -> None:
        fields = {field.name: field for operation in self.node.operations for field in operation.settings}
        for field in fields.values():
            kind = "SecretStr" if field.secret else _KINDS[field.kind]
            arguments = tuple(
                f"{CONSTRAINTS[key]}={encode.py(value)}" for key, value in field.constraints.items() if key != "enum"
            )
            if values := field.constraints.get("enum"):
                kind = f"Literal[{', '.join(encode.py(value) for value in values)}]"
            meaning = field.description or f"{field.name.replace('_', ' ').capitalize()}, which the contract names."
            given = field.default is not MISSING and field.default is not None
            default = (float(field.default) if field.kind == "number" else field.default) if given else None
            self.add(field.name, kind if given else f"{kind} | None", default, meaning, *arguments)

    def encryption(self, key: str, server: str, unset: str = "when unset, those of the system") -> None:
        trusted = f"Certificates that {server} trusted by, as PEM; {unset}."
        self.add(f"{key}_tls_ca_file", "Path | None", None, trusted)
        shown = f"Certificate that the node shows to {server.rpartition(' ')[0]}, as PEM."
        self.add(f"{key}_tls_cert_file", "Path | None", None, shown)
        beside = "Key of that certificate; when unset, it is in the same file."
        self.add(f"{key}_tls_key_file", "Path | None", None, beside)

    def database(self) -> None:
        database = self.node.database
        if database is None:
            return
        unset = "PostgreSQL URL; when unset, libpq's PGHOST, PGUSER and the like are read."
        self.add("database_url", "SecretStr | None", None, unset)
        self.add("database_pool_min_size", "int", database.pool_min_size, "Connections that are kept open.", "ge=0")
        most = "Connections of calls at once; health checks have one more."
        self.add("database_pool_max_size", "int", database.pool_max_size, most, "ge=1")
        self.add("database_connect_timeout_seconds", "float", 5.0, "Longest wait for a connection.", "gt=0")
        seconds = float(database.statement_timeout_seconds)
        self.add("database_statement_timeout_seconds", "float", seconds, "Longest run of a statement.", "gt=0")
        self.encryption("database", "PostgreSQL is", "when set, TLS is needed")
        if database.migrations:
            self.add("database_migrate_on_start", "bool", True, "Apply pending migrations when connecting.")
        if self.node.keyed:
            kept = "How long an answer is kept by the Idempotency-Key of its request."
            self.add("idempotency_key_seconds", "float", 86_400.0, kept, "gt=0")

    def http(self) -> None:
        for http in self.node.apis:
            self.place(http.base_url, f"Where {http.title} is.")
            seconds = float(http.timeout_seconds)
            self.add(f"{http.key}_timeout_seconds", "float", seconds, "Longest wait for an answer.", "gt=0")
            most = "Connections of calls at once; health checks have one more."
            self.add(f"{http.key}_max_connections", "int", 100, most, "ge=1")
            self.add(f"{http.key}_max_answer_bytes", "int", 10_485_760, "Largest answer that is read.", "ge=1")

    def redis(self) -> None:
        if redis := self.node.redis:
            self.place(redis.url, "Where Redis is.")
            most = "Connections of calls at once; health checks have one more."
            self.add("redis_max_connections", "int", redis.max_connections, most, "ge=1")
            self.add(
                "redis_timeout_seconds", "float", float(redis.timeout_seconds), "Longest wait for a reply.", "gt=0"
            )
            self.encryption("redis", "Redis is")

    def kafka(self) -> None:
        kafka = self.node.kafka
        if kafka is None:
            return
        self.place(kafka.servers, "Brokers of Kafka, with commas between them.")
        wait = "Longest wait for the brokers before a message is left to the outbox."
        self.add("kafka_publish_timeout_seconds", "float", 5.0, wait, "gt=0")
        largest = "Largest message, with key and headers; not more than brokers and topics take."
        self.add("kafka_max_message_bytes", "int", 1_048_576, largest, "ge=1000")
        where = "File that keeps messages until the brokers have them; each process needs one of its own."
        path = f"Path({encode.py(f'var/{self.node.full_name}.outbox')})"
        self.found.append(SettingView("outbox_path", "Path", path, (), where, "OUTBOX_PATH"))
        most = "Messages that may wait; beyond that, publishing fails."
        self.add("outbox_max_messages", "int", kafka.outbox_max_messages, most, "ge=1")
        self.brokers()
        if kafka.consumed:
            self.add("kafka_consumer_group", "str", kafka.group_id, "Consumer group.", "min_length=1")
        if letters := kafka.dead_letters:
            self.add("dead_letter_max_retries", "int", letters.max_retries, "Attempts after the first one.", "ge=0")
            delay = float(letters.retry_delay_seconds)
            self.add("dead_letter_retry_delay_seconds", "float", delay, "Pause between attempts.", "ge=0")
            if letters.alert:
                alert = "Dead letters from which on the alert is raised."
                self.add("dead_letter_alert_threshold", "int", letters.alert_threshold, alert, "ge=1")
            if letters.alert and letters.alert_window_seconds is not None:
                window = "Only dead letters that are not older count for the alert."
                seconds = float(letters.alert_window_seconds)
                self.add("dead_letter_alert_window_seconds", "float", seconds, window, "gt=0")

    def brokers(self) -> None:
        protocols = 'Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"]'
        how = "How the brokers are spoken to: with TLS where it ends in SSL."
        self.add("kafka_security_protocol", protocols, "PLAINTEXT", how)
        mechanisms = 'Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"]'
        who = "How the node says who it is, where the protocol begins with SASL."
        self.add("kafka_sasl_mechanism", mechanisms, "SCRAM-SHA-512", who)
        self.add("kafka_sasl_username", "str | None", None, "User for the brokers.")
        self.add("kafka_sasl_password", "SecretStr | None", None, "Password for the brokers.")
        self.encryption("kafka", "the brokers are")

    def files(self) -> None:
        if files := self.node.files:
            self.place(files.root, "Folder below which files are read and written.")
            self.add("files_max_bytes", "int", files.max_bytes, "Largest file.", "ge=1")

    def retry(self) -> None:
        if retry := self.node.retry:
            self.add(
                "retry_max_attempts", "int", retry.max_attempts, "Attempts at one call, the first included.", "ge=1"
            )
            first = retry.initial_delay_seconds
            self.add("retry_initial_delay_seconds", "float", first, "Before the second attempt.", "ge=0")
            longest = retry.max_delay_seconds
            self.add("retry_max_delay_seconds", "float", longest, "Longest delay between attempts.", "ge=0")
            growth = float(retry.backoff_multiplier)
            self.add("retry_backoff_multiplier", "float", growth, "Growth of the delay.", "ge=1")

    def breaker(self) -> None:
        breaker = self.node.breaker
        if breaker is None:
            return
        failures, wait = "Failures that open it.", "Wait before a trial call."
        self.add("circuit_breaker_failure_threshold", "int", breaker.failure_threshold, failures, "ge=1")
        self.add("circuit_breaker_recovery_seconds", "float", breaker.recovery_seconds, wait, "gt=0")
        trials = "Trial calls that have to succeed to close it."
        self.add("circuit_breaker_half_open_max_calls", "int", breaker.half_open_max_calls, trials, "ge=1")
        for key, threshold, seconds in self.node.own_breakers:
            self.add(f"{key}_circuit_breaker_failure_threshold", "int", threshold, failures, "ge=1")
            self.add(f"{key}_circuit_breaker_recovery_seconds", "float", float(seconds), wait, "gt=0")

    def security(self) -> None:
        view = self.node.security
        if view is None:
            return
        if view.max_input_length is not None:
            longest = "Characters of a text in an input."
            self.add("security_max_input_length", "int", view.max_input_length, longest, "ge=1")
        if view.control_characters:
            control = "Refuse texts with control characters other than tab and line ends."
            self.add("security_sanitize_inputs", "bool", True, control)
        if patterns := view.forbidden_patterns:
            default = _spread([encode.Code(f"LinearPattern({encode.py(pattern)})") for pattern in patterns])
            meaning = "Regular expressions that no text in an input may match; in the environment, a JSON list."
            self.spread("security_forbidden_patterns", "tuple[LinearPattern, ...]", default, meaning)
        if view.escapes:
            self.add("security_sanitize_logs", "bool", True, "Keep control characters out of logs and errors.")
        if view.redacted:
            meaning = "Names whose values are masked in logs and errors; in the environment, a JSON list."
            self.spread("security_redact_fields", "tuple[str, ...]", _spread(view.redacted), meaning)

    def spread(self, name: str, kind: str, default: str, description: str) -> None:
        self.found.append(SettingView(name, kind, default, (), description, name.upper()))

    def rate_limit(self) -> None:
        if limit := self.node.rate_limit:
            self.add("rate_limit_enabled", "bool", True, "Limit how many operations the process runs.")
            rate = "Operations each second, of all callers together."
            self.add("rate_limit_requests_per_second", "float", float(limit.requests_per_second), rate, "gt=0")
            self.add("rate_limit_burst", "int", limit.burst, "Operations at once after a pause.", "ge=1")

    def tracing(self) -> None:
        view = self.node.tracing
        if view is None:
            return
        self.add("tracing_enabled", "bool", True, "Make spans.")
        kinds = 'Literal["otlp", "console", "none"]'
        self.add(
            "tracing_exporter", kinds, view.exporter, "Who takes spans; otlp is OpenTelemetry's protocol over HTTP."
        )
        rate = "Which part of the traces that begin here is kept."
        self.add("tracing_sample_rate", "float", float(view.sample_rate), rate, "ge=0", "le=1")
        if view.endpoint.own:
            where = "URL of OpenTelemetry's collector; when unset, spans go nowhere."
            unset = view.endpoint.default if view.endpoint.default is not None else None
            self.add("tracing_endpoint", "str | None", unset, where)

    def workflows(self) -> None:
        if not self.node.workflows:
            return
        kind, how = (
            'Literal["auto", "in_process", "event_bus"]',
            "How other nodes are reached; auto prefers this process.",
        )
        self.add("node_transport", kind, "auto", how)
        if self.node.run_store:
            lease = "How long a run that was left unfinished waits for another process to go on with it."
            self.add("run_lease_seconds", "float", 30.0, lease, "gt=0")

    def caching(self) -> None:
        if caching := self.node.caching:
            self.add("cache_enabled", "bool", True, "Keep results by their inputs.")
            self.add("cache_ttl_seconds", "int", caching.ttl_seconds, "How long a result is kept.", "ge=1")
            most = "Results that are kept at most; the least recently used goes first."
            self.add("cache_max_entries", "int", caching.max_entries, most, "ge=1")

    def service(self) -> None:
        node = self.node
        self.add("service_host", "str", node.host, "Address that the service binds to.")
        port = "Port that the service binds to; 0 takes a free one."
        self.add("service_port", "int", node.port, port, "ge=0", "le=65535")
        self.add("service_max_body_bytes", "int", 1_048_576, "Largest request body.", "ge=1")
        self.add("service_drain_seconds", "float", 10.0, "Longest wait for work in flight at shutdown.", "ge=0")
        self.add("service_max_answer_bytes", "int", 16_777_216, "Largest answer.", "ge=1")
        self.add("service_max_connections", "int", 1000, "Connections at once, probes included.", "ge=1")
        receiving = "Longest wait for the head of a request, and for its body."
        self.add("service_receive_seconds", "float", 10.0, receiving, "gt=0")
        unread = "How long a client may leave an answer unread."
        self.add("service_send_seconds", "float", 30.0, unread, "gt=0")
        certificate = "Certificate that the service shows, as PEM; when unset, it speaks plain HTTP."
        self.add("service_tls_cert_file", "Path | None", None, certificate)
        key = "Key of that certificate; when unset, it is in the same file."
        self.add("service_tls_key_file", "Path | None", None, key)
        self.callers()
        health = node.health
        if len(health.timeouts) < len(node.adapters):
            wait = "Longest wait for each health check."
            self.add("health_check_timeout_seconds", "float", health.timeout_seconds, wait, "gt=0")
        for key, seconds in health.timeouts.items():
            wait = f"Longest wait for the health check of {key}."
            self.add(f"{key}_health_check_timeout_seconds", "float", seconds, wait, "gt=0")
        self.consul()
        levels = 'Literal["DEBUG", "INFO", "WARNING", "ERROR"]'
        self.add("log_level", levels, "INFO", "Lowest level that is logged.")
        seen = node.contract.observability
        form = "json" if seen.json_logs else "text"
        self.add("log_format", 'Literal["json", "text"]', form, "Form of log lines: for machines, or for people.")
        ids = "Whether log lines carry the correlation id of the request."
        self.add("log_correlation_ids", "bool", seen.correlation, ids)
        if node.metrics_port is not None:
            alone = "Port of `/metrics`, beside the service's own; 0 takes a free one."
            self.add("metrics_port", "int", node.metrics_port, alone, "ge=0", "le=65535")

    def callers(self) -> None:
        auth = self.node.auth
        if auth and auth.api_keys:
            keys = "API keys that are taken: a JSON list of objects with name, sha256 of the key, and scopes."
            self.add("service_api_keys", "SecretStr | None", None, keys)
        if auth and auth.bearer:
            self.tokens(auth.bearer)

    def tokens(self, bearer: Bearer) -> None:
        self.add("service_auth_issuer", "str", bearer.issuer, "Who issues the tokens of callers, as their `iss` says.")
        whom = "Whom tokens are for: one of these is in `aud`; in the environment, a JSON list."
        self.spread("service_auth_audience", "tuple[str, ...]", _spread(bearer.audience), whom)
        self.add("service_auth_jwks_url", "str", bearer.jwks_url, "URL of the issuer's public keys (JWKS).")
        how = "How tokens may be signed; in the environment, a JSON list."
        self.spread("service_auth_algorithms", "tuple[str, ...]", _spread(bearer.algorithms), how)
        skew = float(bearer.clock_skew_seconds)
        off = "How far the issuer's clock may be off."
        self.add("service_auth_clock_skew_seconds", "float", skew, off, "ge=0", "le=300")
        claim = "The claim that holds a caller's scopes."
        self.add("service_auth_scopes_claim", "str", bearer.scopes_claim, claim)
        again = "After which the issuer's keys are asked for again."
        self.add("service_auth_jwks_refresh_seconds", "float", float(bearer.jwks_refresh_seconds), again, "gt=0")
        longest = "After which keys that could not be asked for again are no longer used."
        self.add("service_auth_jwks_max_age_seconds", "float", 3600.0, longest, "gt=0")
        trusted = "Certificates that the issuer is trusted by; when unset, those of the system."
        self.add("service_auth_ca_file", "Path | None", None, trusted)

    def consul(self) -> None:
        consul = self.node.consul
        if consul is None:
            return
        self.add("consul_register", "bool", True, "Register with Consul while the service runs.")
        self.add("consul_http_addr", "str", consul.url, "URL of Consul's agent.")
        self.add("consul_http_token", "SecretStr | None", None, "Token for Consul's agent.")
        self.add("consul_service_name", "str", consul.service_name, "The service's name in Consul.")
        address = "Address at which others reach the service; when unset, SERVICE_HOST, or else the host's name."
        self.add("consul_service_address", "str | None", None, address)
        port = "Port of that address; when unset, SERVICE_PORT."
        self.add("consul_service_port", "int | None", None, port, "ge=1", "le=65535")
        interval, limit = float(consul.check_interval_seconds), float(consul.check_timeout_seconds)
        self.add("consul_check_interval_seconds", "float", interval, "Between two checks by the agent.", "gt=0")
        self.add("consul_check_timeout_seconds", "float", limit, "Longest wait of a check.", "gt=0")
        patience = "The agent forgets a service that fails its checks for so long."
        self.add("consul_deregister_after_seconds", "float", float(consul.deregister_after_seconds), patience, "ge=60")
        look = "Between two looks whether the agent knows it."
        self.add("consul_refresh_seconds", "float", float(consul.refresh_seconds), look, "gt=0")
        self.encryption("consul", "Consul's agent is")
