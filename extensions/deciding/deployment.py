"""Amounts, and values for settings that a deployment gives: what they mean, and whether they fit."""

import ast
import operator
import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Protocol

from ..language.deployment import Amounts

DEFAULT_REQUESTS = Amounts("100m", "256Mi")
DEFAULT_LIMITS = Amounts("1", "512Mi")

_REFERENCE = re.compile(r"\$\{(?:env|secret)\.([A-Za-z_][A-Za-z0-9_]*)\}")
_SECRET_NAME = re.compile(r"(?:^|_)(?:PASSWORD|PASSWD|PASSPHRASE|SECRET|TOKEN|API_?KEY|PRIVATE_KEY|CREDENTIALS?)$")
_PASSWORD_IN_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://[^/@\s]*:[^/@\s]+@")
_UNITS = {"m": Decimal("0.001"), "k": Decimal(10**3)} | {
    f"{letter}{suffix}": Decimal(base**power)
    for power, letter in enumerate("KMGTP", start=1)
    for suffix, base in (("i", 1024), ("", 1000))
}


class Setting(Protocol):
    """A setting of the node, as far as deployment goes: its type and default are code."""

    @property
    def name(self) -> str:
        """The field."""

    @property
    def variable(self) -> str:
        """The environment variable, in upper case."""

    @property
    def type(self) -> str:
        """Code of its type."""

    @property
    def default(self) -> str:
        """Code of its default."""

    @property
    def arguments(self) -> tuple[str, ...]:
        """Code of what bounds it, such as `ge=1`."""


def quantity(text: str) -> Decimal:
    """Return the number that a quantity of Kubernetes stands for, such as 0.5 for `500m`."""
    match = re.fullmatch(r"([0-9.]+)([A-Za-z]*)", text)
    if match is None:
        raise ValueError(text)
    return Decimal(match[1]) * _UNITS.get(match[2], Decimal(1))


def reference(value: object) -> str:
    """Return the name in a value that is one whole reference such as `${secret.NAME}`; empty for any other value."""
    match = _REFERENCE.fullmatch(value) if isinstance(value, str) else None
    return match[1] if match else ""


def objection(name: str, value: object) -> tuple[str, str] | None:
    """Tell why a variable of `deployment.env` can't be, without knowing the node's settings.

    Args:
        name: The variable.
        value: What the contract says.

    Returns:
        What was expected, and a hint; None when there is nothing against it.
    """
    if reference(value):
        return None
    if name.upper() == "SERVICE_PORT":
        return "service.port, which decides the port", ""
    if name.upper() == "METRICS_PORT":
        return "advanced_features.observability.metrics.prometheus_port, which decides the port", ""
    if name.upper() == "SERVICE_HOST":
        return "no value: in a container the node binds to every address", ""
    if isinstance(value, str) and _REFERENCE.search(value):
        return "a value, or one whole reference", "what goes around it has to be part of what it refers to"
    if looks_secret(name, value):
        return f"${{secret.{name}}}, since a contract holds no secrets", ""
    return None


def looks_secret(name: str, value: object) -> bool:
    """Tell whether a variable's value should be in nobody's files, nor in an error message."""
    password = isinstance(value, str) and _PASSWORD_IN_URL.search(value)
    return bool(password or _SECRET_NAME.search(name.upper())) and not reference(value)


def misfit(setting: Setting, text: str) -> str:
    """Tell what a setting takes, where it would refuse the text of a variable.

    Args:
        setting: The setting.
        text: The variable's value, which is no reference.

    Returns:
        What was expected; empty when the text will do.
    """
    if is_secret(setting):
        return f"${{secret.{setting.variable}}}, since a contract holds no secrets"
    kind = setting.type.removesuffix(" | None")
    if kind.startswith("Literal["):
        words = ast.literal_eval(kind.removeprefix("Literal"))
        return "" if text in words else f"one of {', '.join(words)}"
    if kind == "bool":
        return "" if text.lower() in _BOOLEANS else "true or false"
    if kind in _NUMBERS:
        number = _number(text, whole=kind == "int")
        if number is None:
            return _NUMBERS[kind]
        for argument in setting.arguments:
            bound, _, limit = argument.partition("=")
            if bound in _BOUNDS and not _BOUNDS[bound][1](number, Decimal(limit)):
                return f"{_BOUNDS[bound][0]} {limit}"
    return ""


_BOOLEANS = ("true", "false", "yes", "no", "on", "off", "1", "0")
_NUMBERS = {"int": "a whole number", "float": "a number"}
_BOUNDS: Mapping[str, tuple[str, Callable[[Decimal, Decimal], bool]]] = {
    "ge": ("at least", operator.ge),
    "gt": ("more than", operator.gt),
    "le": ("at most", operator.le),
    "lt": ("less than", operator.lt),
}


def _number(text: str, *, whole: bool) -> Decimal | None:
    if not re.fullmatch(r"[+-]?[0-9]+" if whole else r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]{1,3})?", text):
        return None
    return Decimal(text)


def resources(requests: Amounts, limits: Amounts) -> tuple[Amounts, Amounts]:
    """Fill in what the contract does not say about resources.

    Args:
        requests: What the contract says.
        limits: What the contract says.

    Returns:
        Requests and limits; a default never contradicts what was said.
    """

    def pair(requested: str, limited: str, request: str, limit: str) -> tuple[str, str]:
        low = requested or min(request, limited or request, key=quantity)
        return low, limited or max(limit, low, key=quantity)

    cpu = pair(requests.cpu, limits.cpu, DEFAULT_REQUESTS.cpu, DEFAULT_LIMITS.cpu)
    memory = pair(requests.memory, limits.memory, DEFAULT_REQUESTS.memory, DEFAULT_LIMITS.memory)
    return Amounts(cpu[0], memory[0]), Amounts(cpu[1], memory[1])


def is_secret(setting: Setting) -> bool:
    """Tell whether a setting's value belongs in a secret."""
    return "SecretStr" in setting.type
