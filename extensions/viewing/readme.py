"""What the README of a generated node says of the integrations that the node has."""

import ast
import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .node import NodeView
    from .settings import SettingView

type ErrorRow = tuple[str, int, str]


class Readme:
    """Texts for the README of one node."""

    def __init__(self, node: "NodeView") -> None:
        """Keep the node.

        Args:
            node: The node.
        """
        self._node = node

    @property
    def servers(self) -> str:
        """What the node's tests start, for a sentence; empty when they start nothing."""
        node = self._node
        servers = {
            "PostgreSQL": node.database,
            "Redis": node.redis,
            "Kafka (librdkafka's mock cluster)": node.kafka,
            "an HTTP server": node.apis,
        }
        return _listed([name for name, present in servers.items() if present], "and")

    @property
    def readiness(self) -> str:
        """When `/ready` answers that the node is ready."""
        answering = _listed(self._reached(api="the API", database="the database"), "and")
        files = "the folder of files can be written to" if self._node.files else ""
        answers = f"{answering} {'answer' if ' and ' in answering else 'answers'}" if answering else ""
        return " and ".join(text for text in (answers, files) if text) or "the node is initialized"

    @property
    def errors(self) -> tuple[ErrorRow, ...]:
        """The errors of the integrations: code, HTTP status, and when they come."""
        return (*self._missing(), *self._of_api(), *self._of_database(), *self._of_servers(), *self._of_files())

    @property
    def all_errors(self) -> tuple[ErrorRow, ...]:
        """These, and the errors that do not come of integrations."""
        return (
            ("VALIDATION_ERROR", 422, self._invalid()),
            *self._of_callers(),
            *self.errors,
            *self._of_features(),
            ("INVALID_STATE", 503, "the node is not running"),
            ("TIMEOUT", 504, "the deadline passed"),
            ("CONTRACT_VIOLATION", 500, "the result does not meet the contract"),
            *self._of_custom_handlers(),
        )

    @property
    def credentials(self) -> str:
        """A header with which a caller says who it is, for a shell; empty where nobody asks."""
        auth = self._node.auth
        if auth is None:
            return ""
        return f"{auth.api_keys.header}: $key" if auth.api_keys and not auth.bearer else "Authorization: Bearer $token"

    @property
    def tls(self) -> tuple[str, ...]:
        """How servers that the node talks to are reached by TLS, a sentence for each."""
        node = self._node
        lines = {
            "PostgreSQL: with `DATABASE_TLS_CA_FILE`, its certificate and name are checked; else `sslmode` in its URL "
            "decides.": node.database,
            "Redis: by a URL that starts with `rediss://`; `REDIS_TLS_CA_FILE` says whom to trust.": node.redis,
            "Kafka: `KAFKA_SECURITY_PROTOCOL` is `SSL`, or `SASL_SSL` with `KAFKA_SASL_USERNAME` and "
            "`KAFKA_SASL_PASSWORD`; `KAFKA_TLS_CA_FILE` says whom to trust.": node.kafka,
            "Consul: by a URL that starts with `https://`; `CONSUL_TLS_CA_FILE` says whom to trust.": node.consul,
        }
        return tuple(line for line, present in lines.items() if present)

    def default(self, setting: "SettingView") -> str:
        """Return the default of a setting as its environment variable would have it; empty where there is none.

        Args:
            setting: The setting.

        Returns:
            The text.
        """
        tree = ast.parse(setting.default.strip(), mode="eval").body
        value = tree.args[0] if isinstance(tree, ast.Call) and tree.args else tree
        try:
            known = ast.literal_eval(value)
        except ValueError:
            return setting.default
        match known:
            case None:
                return ""
            case bool():
                return str(known).lower()
            case tuple():
                return json.dumps(known, ensure_ascii=False)
            case _:
                return str(known)

    def _reached(self, *, api: str, database: str = "") -> list[str]:
        node = self._node
        reached = {database: node.database, api: node.apis, "Redis": node.redis, "Kafka": node.kafka}
        return [name for name, present in reached.items() if present and name]

    def _invalid(self) -> str:
        computed = ", or has no result, as in a division by zero, or none that meets the contract"
        more = computed if self._node.compute_operations else ""
        return f"the input does not meet the contract{more}; nothing was touched"

    def _of_features(self) -> list[ErrorRow]:
        node, rows = self._node, []
        if node.rate_limit:
            rows.append(("RATE_LIMIT_ERROR", 429, "there are too many requests; Retry-After says when to come back"))
        if node.breaker:
            rows.append(("SERVICE_UNAVAILABLE", 503, "the circuit breaker is open"))
        if node.keyed:
            rows.append(("VALIDATION_ERROR", 422, "the Idempotency-Key belongs to a request with another input"))
            rows.append(("INVALID_OPERATION", 409, "a request with this Idempotency-Key is under way"))
        if node.fsm and node.fsm.rejects:
            when = "no transition is defined for the trigger in the state that the entity is in"
            rows.append(("INVALID_OPERATION", 409, when))
        return rows

    def _of_custom_handlers(self) -> list[ErrorRow]:
        if not self._node.custom_operations:
            return []
        return [("METHOD_NOT_IMPLEMENTED", 501, "a custom handler is still to be written")]

    def _of_callers(self) -> list[ErrorRow]:
        auth = self._node.auth
        if auth is None:
            return []
        rows = [("AUTHENTICATION_ERROR", 401, "the caller of the service is unknown, or its credentials are not good")]
        if self._node.scoped or auth.metrics_scopes:
            rows.append(("PERMISSION_DENIED", 403, "the caller of the service lacks a scope"))
        return rows

    def _missing(self) -> list[ErrorRow]:
        node = self._node
        things = {"row": node.sql_operations, "key": node.redis_operations, "file": node.filesystem_operations}
        missing = _listed([name for name, operations in things.items() if operations], "or")
        missing = f"the operation needs a {missing}, and there is none" if missing else ""
        refused = "the API answers 404" if node.apis else ""
        when = _listed([text for text in (missing, refused) if text], "or")
        return [("RESOURCE_NOT_FOUND", 404, when)] if when else []

    def _of_api(self) -> list[ErrorRow]:
        if not self._node.apis:
            return []
        return [
            ("PERMISSION_DENIED", 500, "the API answers 401 or 403"),
            ("RATE_LIMIT_ERROR", 503, "the API still answers 429 after the last attempt"),
            ("SERVICE_UNAVAILABLE", 503, "the API still answers 500 or more after the last attempt"),
            ("OPERATION_FAILED", 500, "the API answers with another status that is no success"),
        ]

    def _of_database(self) -> list[ErrorRow]:
        if not self._node.database:
            return []
        return [
            ("VALIDATION_ERROR", 422, "the database does not take a value, or a constraint forbids it"),
            ("DUPLICATE_REGISTRATION", 409, "a unique or an exclusion constraint has the value already"),
            ("DATABASE_QUERY_ERROR", 500, "the database refuses the statement"),
            ("DATABASE_CONNECTION_ERROR", 503, "the database can't be reached"),
        ]

    def _of_servers(self) -> list[ErrorRow]:
        node, rows = self._node, []
        if reached := _listed(self._reached(api="the API"), "or"):
            rows.append(("NETWORK_ERROR", 503, f"{reached} can't be reached"))
        if node.redis:
            rows.append(("OPERATION_FAILED", 500, "Redis refuses the command"))
        if node.kafka_operations:
            rows.append(("OPERATION_FAILED", 500, "Kafka refuses the message"))
        if node.kafka:
            rows.append(("SERVICE_UNAVAILABLE", 503, "the outbox is full"))
        return rows

    def _of_files(self) -> list[ErrorRow]:
        if not self._node.files:
            return []
        return [
            ("VALIDATION_ERROR", 422, "a path leads out of the folder of files, or to something that is no file"),
            ("FILE_READ_ERROR", 500, "a file is larger than may be read"),
            ("FILE_WRITE_ERROR", 500, "a file would be larger than may be written"),
            ("FILE_ACCESS_ERROR", 500, "a file can't be opened"),
        ]


def _listed(words: list[str], last: str) -> str:
    return f" {last} ".join(part for part in (", ".join(words[:-1]), "".join(words[-1:])) if part)
