"""Hypothesis strategies, as code, for the values that fields of a contract may have."""

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from itertools import count as count_from
from typing import Any

from ..language import numeric, patterns
from ..language.contract import Contract, Field, Model
from ..language.samples import FORMATTED, option
from ..text import encode
from .fields import Symbol

# An escape, a class of characters, how often there is what is before it, or one character.
_TOKENS = re.compile(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|\{\d+(?:,\d*)?\}|.", re.DOTALL)

type Reference = Callable[[str, str], Symbol]

# Numbers whose sums stay finite, and moments with room on both sides.
_SPREADS = (10**12, 10**9, 10**6, 10**3)
_DEEPEST = 3
_PLACES, _SOME, _PROBES = 2, 10, 20
_AT_LEAST = {"*": 0, "+": 1}
_OPEN = re.compile(r"\{\d+,\}")
# Hypothesis draws few texts of a pattern that are longer than this, and few values of any kind that are so long.
_SHORT, _LONG = 12, 50


@dataclass(frozen=True, slots=True)
class Call:
    """A call as code, or a list, of no function.

    Attributes:
        function: What is called.
        arguments: Each with its keyword or none.
        brackets: What is around them.
        before: The call whose result has the function.
    """

    function: str
    arguments: "tuple[tuple[str, Call | str], ...]" = ()
    brackets: str = "()"
    before: "Call | None" = None

    def flat(self) -> str:
        """Return the call on one line."""
        parts = (f"{name}=" * bool(name) + (v if isinstance(v, str) else v.flat()) for name, v in self.arguments)
        before = self.before.flat() if self.before else ""
        return f"{before}{self.function}{self.brackets[0]}{', '.join(parts)}{self.brackets[1]}"

    def code(self, column: int = 0, indent: int = 0) -> str:
        """Return the call on one line where it fits, else one argument a line, as `ruff format` leaves it.

        Args:
            column: Where it begins.
            indent: Columns by which the line that it begins on is indented.
        """
        line = self.flat()
        if column + encode.width(line) + 1 <= encode.LINE_LENGTH or not self.arguments or "\n" in line:
            return line
        head = self.before.flat() if self.before else ""
        if self.before and column + encode.width(f"{head}{self.function}{self.brackets[0]}") > encode.LINE_LENGTH:
            head = self.before.spread(indent)
        return head + self.spread(indent)

    def spread(self, indent: int) -> str:
        """Return the call, without the one before it, one argument a line."""
        parts = [(f"{name}=" if name else "", value) for name, value in self.arguments]
        pad = " " * (indent + 4)
        lines = []
        for name, value in parts:
            inner = value if isinstance(value, str) else value.code(len(pad) + len(name), len(pad))
            lines.append(f"{pad}{name}{inner},\n")
        return f"{self.function}{self.brackets[0]}\n{''.join(lines)}{' ' * indent}{self.brackets[1]}"


def model_strategy(contract: Contract, model: Model, reference: Reference, indent: int) -> tuple[tuple[str, str], ...]:
    """Return the strategies of a model's fields.

    Args:
        contract: The contract that defines the types.
        model: One of its models.
        reference: Gives the symbol of an enum or model from its kind and name.
        indent: Columns by which lines of the form `field=strategy,` will be indented.

    Returns:
        Pairs of a field and the code of its strategy, in which Hypothesis's strategies are called `st`.
    """
    made = ((field.name, strategy(contract, field, reference)) for field in model.fields)
    return tuple((name, call.code(indent + len(name) + 1, indent)) for name, call in made)


def symbols_in(code: str, contract: Contract, reference: Reference) -> list[Symbol]:
    """Return the enums and models of the contract that code of strategies names."""
    symbols = [reference("enum", enum.name) for enum in contract.enums]
    symbols += [reference("model", model.name) for model in contract.models]
    words = set(re.findall(r"\w+", code))
    return [symbol for symbol in symbols if symbol[1] in words]


def standard_in(code: str) -> tuple[Symbol, ...]:
    """Return what code of strategies needs of the standard library."""
    known = {"UTC": "datetime", "date": "datetime", "datetime": "datetime", "timedelta": "datetime"}
    known |= {"Decimal": "decimal", "time": "datetime"}
    return tuple((known[word], word) for word in sorted(set(re.findall(r"\w+", code)) & known.keys()))


def strategy(contract: Contract, field: Field, reference: Reference, depth: int = 0) -> Call:
    """Return a strategy for what a field may hold, null included where it may be left out.

    Args:
        contract: The contract that defines the types.
        field: A field, or the items of an array.
        reference: Gives the symbol of an enum or model from its kind and name.
        depth: How many models are around the field.
    """
    if depth > _DEEPEST and not field.required:
        return _st("none")
    made = _some(contract, field, reference, depth)
    return made if field.required else _st("one_of", _st("none"), made)


def _st(name: str, /, *values: Call | str, **named: Call | str | float) -> Call:
    arguments: list[tuple[str, Call | str]] = [("", value) for value in values]
    arguments += [(key, value if isinstance(value, (Call, str)) else repr(value)) for key, value in named.items()]
    return Call(f"st.{name}", tuple(arguments))


def _some(contract: Contract, field: Field, reference: Reference, depth: int) -> Call:
    limits = field.constraints
    if values := limits.get("enum"):
        return _st("sampled_from", Call("", tuple(("", encode.py(value)) for value in values), "[]"))
    if field.kind in _SIMPLE:
        moments = limits.get("format") == "offset"
        return _st("datetimes", *_MOMENTS, timezones=_st("just", "UTC")) if moments else _SIMPLE[field.kind]
    if field.items and depth > _DEEPEST and not {"minItems", "minProperties"} & limits.keys():
        return _st("just", "[]" if field.kind == "array" else "{}")
    match field.kind:
        case "string":
            return _text(limits)
        case "integer" | "number" | "decimal":
            return _number(field.kind, limits)
        case "bytes":
            return _characters("binary", limits)
        case "enum":
            return _st("sampled_from", reference("enum", str(field.reference))[1])
        case "array" | "object":
            inner = _some(contract, field.items, reference, depth) if field.items else _st("integers", "-9", "9")
            return (_list if field.kind == "array" else _object)(inner, limits)
        case "union":
            options = [option(field, index) for index in range(len(field.union.models) if field.union else 0)]
            ending = [one for one in options if depth <= _DEEPEST or not _holds_union(contract, one)]
            return _st("one_of", *(_some(contract, one, reference, depth) for one in ending))
        case _:
            model = next(model for model in contract.models if model.name == field.reference)
            parts = {inner.name: strategy(contract, inner, reference, depth + 1) for inner in model.fields}
            return _st("builds", reference("model", model.name)[1], **parts)


def _holds_union(contract: Contract, field: Field) -> bool:
    model = next(model for model in contract.models if model.name == field.reference)
    return any(inner.kind in {"union", "model"} and inner.required for inner in model.fields)


_MOMENTS = ('datetime.fromisoformat("1970-01-01")', 'datetime.fromisoformat("2100-01-01")')
_SIMPLE = {
    "boolean": _st("booleans"),
    "uuid": _st("uuids"),
    "datetime": _st(
        "datetimes",
        *_MOMENTS,
        timezones=_st("sampled_from", "[None, UTC]"),
    ),
    "date": _st("dates", "date(1970, 1, 1)", "date(2100, 1, 1)"),
    "time": _st("times", "time(0)", "time(23, 59, 59)"),
    "duration": _st("timedeltas", "timedelta()", "timedelta(days=100)"),
}


def _sizes(limits: Mapping[str, Any], what: str, spread: int) -> dict[str, float]:
    low: int = limits.get(f"min{what}", 0)
    return {"min_size": low, "max_size": min(limits.get(f"max{what}", low + spread), low + spread)}


def _characters(name: str, limits: Mapping[str, Any]) -> Call:
    if (count := limits.get("minLength", 0)) <= _LONG:
        return _st(name, **_sizes(limits, "Length", 20))
    return _then(_st(name, min_size=1, max_size=20), "map", f"lambda part: (part * {count})[:{count}]")


def _object(values: Call, limits: Mapping[str, Any]) -> Call:
    if (count := limits.get("minProperties", 0)) <= _LONG:
        return _st("dictionaries", _st("text", max_size=5), values, **_sizes(limits, "Properties", 5))
    return _then(values, "map", f"lambda value: dict.fromkeys(map(str, range({count})), value)")


def _list(inner: Call, limits: Mapping[str, Any]) -> Call:
    if limits.get("uniqueItems"):
        return _st("lists", inner, **_sizes(limits, "Items", 5), unique_by="repr")
    if (count := limits.get("minItems", 0)) <= _LONG:
        return _st("lists", inner, **_sizes(limits, "Items", 5))
    return _then(inner, "map", f"lambda item: [item] * {count}")


def _text(limits: Mapping[str, Any]) -> Call:
    least, most = limits.get("minLength", 0), limits.get("maxLength", math.inf)
    if "format" in limits:
        texts = [text for text in FORMATTED[limits["format"]] if least <= len(text) <= most]
        return _st("sampled_from", Call("", tuple(("", encode.py(text)) for text in texts), "[]"))
    if "pattern" not in limits:
        return _characters("text", limits)
    pattern = _fitted(limits["pattern"], least, most)
    shortest, longest = patterns.width(pattern)
    if shortest < least > _SHORT and (text := patterns.example(pattern, least, min(most, least + _SHORT))):
        return _st("just", encode.py(text))
    made = _st("from_regex", encode.py(_strict(pattern)), **_alphabet(pattern, least, most))
    tests = [f"len(text) >= {least}"] if shortest < least else []
    tests += [f"len(text) <= {most}"] if longest > most else []
    return _then(made, "filter", f"lambda text: {' and '.join(tests)}") if tests else made


def _fitted(pattern: str, least: int, most: float) -> str:
    """Return a pattern with the limits of the text in it, where it repeats one character without a limit of its own."""
    tokens = _TOKENS.findall(pattern)
    if (tokens[:1], tokens[-1:]) != (["^"], ["$"]):
        return pattern
    repeated = [index for index, token in enumerate(tokens) if token in _AT_LEAST or _OPEN.fullmatch(token)]
    if len(repeated) != 1 or tokens[(index := repeated[0]) - 1] in (")", "^") or tokens[index + 1] in ("?", "+"):
        return pattern
    if tokens[index - 1].startswith("{"):
        return pattern
    before, after = "".join(tokens[:index]), "".join(tokens[index + 1 :])
    shortest, longest = patterns.width(f"{before}{{0}}{after}")
    if shortest != longest:
        return pattern
    low = max(least - shortest, _AT_LEAST[tokens[index]] if tokens[index] in _AT_LEAST else int(tokens[index][1:-2]))
    high = min(most - shortest, low + 2 * _SHORT)
    return f"{before}{{{low},{high}}}{after}" if low <= high else pattern


def _strict(pattern: str) -> str:
    """Return a pattern whose `$` is the end alone: in Python it is also before a line end, in pydantic it is not."""
    return _TOKENS.sub(lambda match: r"\Z" if match[0] == "$" else match[0], pattern)


def _alphabet(pattern: str, least: int, most: float) -> dict[str, Call]:
    r"""Return the characters to draw from: ASCII's where classes such as \w or [^@] mean more to Python than to Rust.

    Among ASCII's characters both mean the same. Those that the pattern itself has are drawn, too; all are where no text
    of these is known.
    """
    if not re.search(r"\\[wdsWDSBb]|\[\^|\(\?[a-z]*i", pattern):
        return {}
    others = "".join(sorted({char for char in pattern if not char.isascii()}))
    text = patterns.example(pattern, least, int(min(most, least + 200)))
    if text is None or not all(char.isascii() or char in others for char in text):
        return {}
    included = {"include_characters": encode.py(others)} if others else {}
    return {"alphabet": _st("characters", max_codepoint="127", **included)}


def _then(made: Call, method: str, argument: str) -> Call:
    return Call(f".{method}", (("", argument),), before=made)


def _within(found: numeric.Range, spread: int) -> tuple[Decimal, Decimal]:
    """Return the bounds of a field, those that there are none of at most so far away."""
    below = Decimal(-spread) if found.high is None else found.high - spread
    least = below if found.low is None else found.low
    return least, found.high if found.high is not None else least + 2 * spread


def _multiples(kind: str, constraints: Mapping[str, Any], bounds: tuple[Decimal, Decimal]) -> Call | None:
    """Return a strategy for multiples; None where floats are so coarse that some of them are none."""
    each = numeric.exact(constraints["multipleOf"])
    first, last = numeric.range_of(constraints).steps(each, *bounds)
    ends = (*range(first, min(last, first + _PROBES) + 1), *range(max(first, last - _PROBES), last + 1))
    if kind == "number" and not all(numeric.takes(kind, constraints, float(each * count)) for count in ends):
        return None
    made = _st("integers", str(first), str(last))
    if each == each.to_integral_value():
        return _then(made, "map", f"lambda number: number * {encode.py(constraints['multipleOf'])}")
    product = f'number * Decimal("{each}")'
    return _then(made, "map", f"lambda number: {product if kind == 'decimal' else f'float({product})'}")


def _number(kind: str, constraints: Mapping[str, Any]) -> Call:
    found = numeric.range_of(constraints)
    if "multipleOf" in constraints:
        for spread in _SPREADS:
            if made := _multiples(kind, constraints, _within(found, spread)):
                return made
        known = [number for number in numeric.numbers(kind, constraints) if numeric.takes(kind, constraints, number)]
        return _st("sampled_from", repr(list(dict.fromkeys(map(float, known)))))
    least, most = _within(found, _SPREADS[0])
    if kind == "integer":
        first, last = found.steps(Decimal(1), least, most)
        return _st("integers", str(first), str(last))
    if kind == "number":
        excluded = {"exclude_min": "True"} if found.above else {}
        excluded |= {"exclude_max": "True"} if found.below else {}
        return _st("floats", repr(float(least)), repr(float(most)), **excluded)
    # So many that there are some between the bounds.
    places = next(count for count in count_from(_PLACES) if (most - least).scaleb(count) >= _SOME or most <= least)
    made = _st("decimals", f'"{least}"', f'"{most}"', allow_nan="False", places=str(places))
    tests = [f'number > Decimal("{least}")'] if found.above else []
    tests += [f'number < Decimal("{most}")'] if found.below else []
    return _then(made, "filter", f"lambda number: {' and '.join(tests)}") if tests else made
