"""What requests may hold."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from ..language import patterns
from ..language.contract import SecurityValidation

DEFAULT_INPUT_LENGTH = 10_000
_CONTROL_CHARACTER = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class SecurityView:
    """What inputs are checked for, and what is kept out of logs and errors.

    Attributes:
        max_input_length: Characters of a text in an input; None for no limit.
        forbidden_patterns: Regular expressions that no text of an input may match.
        control_characters: Whether texts with control characters are refused.
        escapes: Whether control characters are kept out of logs and errors.
        redacted: Names of fields whose values are.
    """

    max_input_length: int | None
    forbidden_patterns: tuple[str, ...]
    control_characters: bool
    escapes: bool
    redacted: tuple[str, ...]

    @property
    def checks(self) -> bool:
        """Whether inputs are checked."""
        return self.max_input_length is not None or self.control_characters

    @property
    def cleans(self) -> bool:
        """Whether texts are cleaned before they get into logs and errors."""
        return self.escapes or bool(self.redacted)


def security(settings: SecurityValidation | None) -> SecurityView | None:
    """Return what inputs, logs and errors are checked for; None where the contract asks for nothing.

    Args:
        settings: What the contract says.

    Returns:
        The view. Where there are forbidden patterns, texts are limited, so that matching takes bounded time.
    """
    if settings is None:
        return None
    view = SecurityView(
        max_input_length=settings.max_input_length or (DEFAULT_INPUT_LENGTH if settings.forbidden_patterns else None),
        forbidden_patterns=settings.forbidden_patterns,
        control_characters=settings.sanitize_inputs,
        escapes=settings.sanitize_logs,
        redacted=tuple(dict.fromkeys(settings.redact_fields)),
    )
    return view if view.checks or view.cleans else None


def allowed(view: SecurityView | None, value: object) -> bool:
    """Tell whether an input passes the security validation, as the node itself tells.

    Args:
        view: What inputs are checked for.
        value: The input as JSON values.
    """
    if view is None or not view.checks:
        return True
    return not any(
        (view.max_input_length is not None and len(text) > view.max_input_length)
        or (view.control_characters and _CONTROL_CHARACTER.search(text))
        or any(patterns.matches(pattern, text) for pattern in view.forbidden_patterns)
        for text in _texts(value)
    )


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for name, item in value.items():
            yield str(name)
            yield from _texts(item)
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from _texts(item)
