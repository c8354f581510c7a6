"""How an HTTP API that OpenAPI describes knows who asks: headers and parameters with secrets of the environment."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from ..language import names
from .reference import At


@dataclass(frozen=True, slots=True)
class Credential:
    """What requests carry.

    Attributes:
        headers: Headers by name.
        query: Parameters of the query by name.
    """

    headers: dict[str, str] = field(default_factory=dict)
    query: dict[str, str] = field(default_factory=dict)


class Credentials:
    """What the operations of a document need.

    Args:
        document: The document.
        constant: The API's name, as it stands in those of secrets.
        note: Tells a person of something: its place, and what it is.

    Attributes:
        of_all: What operations carry that say nothing of their own: what the document requires, or all that it
            knows, when neither it nor any operation requires something.
    """

    def __init__(self, document: At, constant: str, note: Callable[[str, str], None]) -> None:
        """Read what the document requires."""
        self._document = document
        self._constant = constant
        self._note = note
        components = document.value.get("components")
        schemes = components.get("securitySchemes") if isinstance(components, Mapping) else None
        self._schemes: Mapping[str, object] = schemes if isinstance(schemes, Mapping) else {}
        required = _first(document.value.get("security"))
        if required is None and not self._said_by_operations():
            self.of_all = self._of(self._schemes)
            if len(self.of_all.headers) + len(self.of_all.query) > 1:
                note("securitySchemes", "the document requires none of them for all; see which are needed")
        else:
            self.of_all = self._of(required or {})

    def of(self, operation: At) -> Credential:
        """Return what an operation's requests carry; where it says nothing, what those of all do."""
        if "security" not in operation.value:
            return self.of_all
        return self._of(_first(operation.value["security"]) or {})

    def _said_by_operations(self) -> bool:
        paths = self._document.value.get("paths")
        return any(
            isinstance(one, Mapping) and one.get("security")
            for item in (paths.values() if isinstance(paths, Mapping) else ())
            for one in (item.values() if isinstance(item, Mapping) else ())
        )

    def _of(self, required: Mapping[str, object]) -> Credential:
        made = Credential()
        for name in required:
            if name not in self._schemes:
                continue
            scheme = self._document.below("components", "securitySchemes", name).followed().value
            secret = f"${{secret.{self._constant}_{names.constant(str(name))}}}"
            match scheme:
                case {"type": "apiKey", "in": "header", "name": str(header)}:
                    made.headers.setdefault(header, secret)
                case {"type": "apiKey", "in": "query", "name": str(parameter)}:
                    made.query[parameter] = secret
                case {"type": "http", "scheme": str(kind)} if kind.lower() == "basic":
                    made.headers.setdefault("Authorization", f"Basic {secret}")
                    self._note(f"securitySchemes.{name}", "the secret is user:password in base64")
                case {"type": "http" | "oauth2" | "openIdConnect"}:
                    made.headers.setdefault("Authorization", f"Bearer {secret}")
                case _:
                    self._note(f"securitySchemes.{name}", "not carried over")
        return made


def _first(required: object) -> Mapping[str, object] | None:
    """Return the first of the ways to be known; None where nothing is said."""
    if not isinstance(required, list) or not required:
        return None
    return required[0] if isinstance(required[0], Mapping) else None
