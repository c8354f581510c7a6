"""The functions of expressions: how their calls are judged, and what becomes of them."""

import ast
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from ..text.problems import did_you_mean, show
from . import names
from .kinds import (
    NUMBERS,
    ORDERED,
    Kind,
    Part,
    Sure,
    WrongError,
    any_of,
    assignable,
    code_of,
    has_literal_type,
    word_of,
)
from .values import Values
from .work import ANY, COUNT_BITS, DECIMAL_BITS, INPUT_BITS, NUMBER_BITS, TEXT_BITS, Size

_LONGEST_RANGE: Final = 10_000
_MANY: Final = 100
_MOST_PLACES: Final = 1000
_STARTS: Final[Mapping[str, tuple[str, str, tuple[int, ...]]]] = {
    "decimal": ("decimal", "Decimal", (0,)),
    "duration": ("datetime", "timedelta", ()),
}
type _Function = Callable[["_Calls", ast.Call, list[Part]], Part]


_PLAIN: Final = (
    *("boolean", "date", "datetime", "decimal", "duration", "enum", "integer", "number", "string", "time", "uuid"),
)


class _Calls:
    """Judges calls of the functions that there are."""

    def __init__(self, judge: Values) -> None:
        self.judge = judge

    def call(self, node: ast.Call, sure: Sure) -> Part:
        if not isinstance(node.func, ast.Name):
            called = f".{node.func.attr}(…)" if isinstance(node.func, ast.Attribute) else word_of(node.func)
            expected = f"functions: {', '.join(sorted(FUNCTIONS))}"
            hint = did_you_mean(node.func.attr, FUNCTIONS) if isinstance(node.func, ast.Attribute) else ""
            raise WrongError(node, f"the call {called}", expected, hint)
        name = node.func.id
        if name in self.judge.scope.models:
            return self.model(node, name, sure)
        if name in LOOPS:
            raise WrongError(node, f"{name}(…) outside of a loop", f"a loop over it, as in [… for … in {name}(…)]")
        if name not in FUNCTIONS:
            expected = f"one of {', '.join(sorted(FUNCTIONS))}"
            raise WrongError(node, f"the function {show(name)}", expected, did_you_mean(name, FUNCTIONS))
        function = FUNCTIONS[name]
        for word in node.keywords:
            if word.arg is None or word.arg not in function.keywords:
                expected = f"{' or '.join(function.keywords)} alone" if function.keywords else "arguments without names"
                raise WrongError(word, f"{word.arg or '**'} in a call of {name}", expected)
        for argument in node.args:
            if isinstance(argument, ast.Starred):
                raise WrongError(argument, "an argument with a star", "arguments one by one")
        if not function.least <= len(node.args) <= function.most:
            wanted = f"{function.least}" if function.least == function.most else f"{function.least} to {function.most}"
            raise WrongError(node, f"{len(node.args)} arguments of {name}", wanted)
        parts = self.arguments(node, name, sure)
        return self.judge.called(lambda parts: function.judge(self, node, parts), parts)

    def arguments(self, node: ast.Call, name: str, sure: Sure) -> list[Part]:
        """Judge what a function is called with."""
        parts = [self.judge.value(argument, sure) for argument in node.args]
        for argument, part in zip(node.args, parts, strict=True):
            if part.kind.name == "generator" and not FUNCTIONS[name].takes_generator:
                raise WrongError(argument, f"a generator in {name}(…)", "a list, as in [… for … in …]")
            if name != "bool":
                self.judge.present(argument, part.kind, f"{name}(…) of")
        if name != "len":
            self.judge.passed_over(*(part.kind for part in parts))
            for argument, part in zip(node.args, parts, strict=True):
                self.judge.read_through(argument, part.kind)
        return parts

    def model(self, node: ast.Call, name: str, sure: Sure) -> Part:
        """Judge a call that makes a model from its fields."""
        if self.judge.scope.total:
            raise WrongError(node, f"{name}(…), which may have no value", "what always has a value")
        fields = self.judge.scope.models[name]
        if node.args:
            raise WrongError(node.args[0], f"a field of {name} without its name", f"{next(iter(fields))}=…")
        words: dict[str, ast.expr] = {}
        for word in node.keywords:
            if word.arg is None or word.arg not in fields:
                found = f"the unknown field {show(word.arg or '**')}"
                raise WrongError(word, found, f"a field of {name}", did_you_mean(word.arg, fields))
            part = self.judge.value(word.value, sure, fields[word.arg])
            assignable(word.value, part.kind, fields[word.arg])
            words[word.arg] = part.tree
        if missing := [
            field for field in fields if field not in words and field not in self.judge.scope.optional[name]
        ]:
            raise WrongError(node, f"{name}(…) without {missing[0]}", f"a value: {missing[0]} is required")
        self.judge.used_models.add(name)
        keywords = [ast.keyword(field, tree) for field, tree in words.items()]
        return Part(Kind("model", name), ast.Call(ast.Name(names.model_class(name)), [], keywords))

    def looped(self, node: ast.Call, sure: Sure) -> tuple[list[Kind], ast.expr, Size]:
        """Judge a call that gives what a loop goes over: the types of the loop's variables, the code, and the size."""
        name = node.func.id if isinstance(node.func, ast.Name) else ""
        keywords: list[ast.keyword] = []
        for word in node.keywords:
            strict = word.value.value if isinstance(word.value, ast.Constant) else None
            if word.arg not in LOOPS[name].keywords or not isinstance(strict, bool) or self.judge.scope.total:
                raise WrongError(word, f"{word.arg or '**'} in a call of {name}", "arguments without names")
            keywords.append(ast.keyword("strict", ast.Constant(strict)))
        loop = LOOPS[name]
        if not loop.least <= len(node.args) <= loop.most:
            raise WrongError(node, f"{len(node.args)} arguments of {name}", f"{loop.least} to {loop.most}")
        parts = [self.judge.value(argument, sure) for argument in node.args]
        for argument, part in zip(node.args, parts, strict=True):
            self.judge.present(argument, part.kind, f"{name}(…) of")
        trees = [part.tree for part in parts]
        if name == "range":
            for argument, part in zip(node.args, parts, strict=True):
                self.judge.number(argument, part.kind, ("integer",))
                if not _is_bounded(argument):
                    expected = f"whole numbers up to {_LONGEST_RANGE}, len(…), and what is added to it"
                    raise WrongError(argument, f"range(…) of {code_of(argument)}, which may be huge", expected)
            return [Kind("integer", bits=COUNT_BITS)], ast.Call(ast.Name(name), trees, []), _range_size(node.args)
        if name == "zip" and not keywords:
            keywords.append(ast.keyword("strict", ast.Constant(False)))
        arrays = parts[:1] if name == "enumerate" else parts
        for argument, part in zip(node.args, arrays, strict=False):
            if part.kind.name != "array":
                raise WrongError(argument, f"{name}(…) of {code_of(argument)}, of type {part.kind}", "an array")
        kinds = [part.kind.items or Kind("json", nullable=True) for part in arrays]
        if name == "enumerate":
            for argument, part in zip(node.args[1:], parts[1:], strict=True):
                self.judge.number(argument, part.kind, ("integer",))
            # It may start anywhere.
            kinds.insert(0, Kind("integer", bits=INPUT_BITS + 1))
        size = min((part.kind.size for part in arrays), key=lambda size: (size.degree, size.factor))
        return kinds, ast.Call(ast.Name(name), trees, keywords), size

    def different(self, node: ast.Call, parts: list[Part]) -> Part:
        kind = self.items(node, parts[0], _PLAIN)
        return self.made(node, Kind("set", items=replace(kind, values=None), size=parts[0].kind.size), [parts[0].tree])

    def made(self, node: ast.Call, kind: Kind, trees: Sequence[ast.expr], code: str = "") -> Part:
        name = code or (node.func.id if isinstance(node.func, ast.Name) else "")
        return Part(kind, ast.Call(ast.Name(name), list(trees), []))

    def items(self, node: ast.Call, part: Part, kinds: Collection[str]) -> Kind:
        """Return the type of what an array or a generator holds, which has to be one of some."""
        name = node.func.id if isinstance(node.func, ast.Name) else ""
        # The items of a set are in no order, which sums of floats depend on.
        held = {"array", "generator", "set"} if name in {"max", "min", "sorted"} else {"array", "generator"}
        if part.kind.name not in held:
            found = f"{name}(…) of {code_of(node.args[0])}, of type {part.kind}"
            raise WrongError(node.args[0], found, "an array, or a generator as in (… for … in …)")
        kind = part.kind.items or Kind("json")
        if kind.nullable:
            raise WrongError(node.args[0], f"{name}(…) of values that may be null", "if … is not None in the loop")
        if kind.name not in kinds:
            raise WrongError(node.args[0], f"{name}(…) of values of type {kind}", any_of(kinds))
        return kind

    def sum(self, node: ast.Call, parts: list[Part]) -> Part:
        kind = self.items(node, parts[0], (*sorted(NUMBERS), "boolean", "decimal", "duration"))
        trees = [parts[0].tree]
        # Without values, a sum is the 0 of its type.
        if kind.name == "number":
            trees.append(ast.Constant(0.0))
        elif kind.name == "integer" and kind.values is not None and has_literal_type(parts[0].tree):
            trees.append(ast.Constant(0))
        elif kind.name in _STARTS:
            module, name, arguments = _STARTS[kind.name]
            self.judge.used_modules.add((module, name))
            trees.append(ast.Call(ast.Name(name), [ast.Constant(argument) for argument in arguments], []))
        made = "integer" if kind.name == "boolean" else kind.name
        return self.made(node, Kind(made, bits=kind.bits + COUNT_BITS), trees)

    def length(self, node: ast.Call, parts: list[Part]) -> Part:
        if parts[0].kind.name not in {"array", "string", "object", "bytes", "set"}:
            raise WrongError(node.args[0], f"len(…) of {parts[0].kind}", "an array, text, bytes, or an object")
        return self.made(node, Kind("integer", bits=COUNT_BITS), [parts[0].tree])

    def extreme(self, node: ast.Call, parts: list[Part]) -> Part:
        default = next((word.value for word in node.keywords), None)
        kinds = [kind for kind in ORDERED if not (self.judge.scope.total and kind == "datetime")]
        if len(parts) == 1:
            kind = self.items(node, parts[0], kinds)
            if default is None and self.judge.scope.total:
                raise WrongError(node, "what may be the least or most of nothing", "default=…")
        else:
            if default is not None:
                raise WrongError(node, "default with several values", "default with an array alone")
            kind = parts[0].kind
            for argument, part in zip(node.args, parts, strict=True):
                if part.kind.name not in kinds:
                    raise WrongError(argument, f"an order of values of type {part.kind}", any_of(kinds))
                kind = self.judge.same(argument, kind, part.kind, f"{code_of(node.args[0])} and {code_of(argument)}")
        made = self.made(node, replace(kind, values=None), [part.tree for part in parts])
        if default is None:
            return made
        # In a loop of its own: a default is worked out outside of the generator.
        other = self.judge.value(default, frozenset())
        kind = self.judge.same(default, kind, other.kind, f"the values and {code_of(default)}")
        tree = made.tree
        if isinstance(tree, ast.Call):
            tree.keywords.append(ast.keyword("default", other.tree))
        return Part(replace(kind, values=None), tree)

    def absolute(self, node: ast.Call, parts: list[Part]) -> Part:
        self.judge.number(node.args[0], parts[0].kind, (*NUMBERS, "decimal", "duration"))
        return self.made(node, Kind(parts[0].kind.name, bits=parts[0].kind.bits), [parts[0].tree])

    def rounded(self, node: ast.Call, parts: list[Part]) -> Part:
        self.judge.number(node.args[0], parts[0].kind, (*NUMBERS, "decimal"))
        self.not_total(node, parts[0].kind)
        if len(parts) == 1:
            return self.made(node, _whole_of(parts[0].kind), [parts[0].tree])
        self.judge.number(node.args[1], parts[1].kind, ("integer",))
        places = parts[1].tree
        if (written := _whole(node.args[1])) is None:
            # No number has so many digits, and rounding to more places takes as long as they are many.
            least = ast.Call(ast.Name("min"), [places, ast.Constant(_MOST_PLACES)], [])
            places = ast.Call(ast.Name("max"), [least, ast.UnaryOp(ast.USub(), ast.Constant(_MOST_PLACES))], [])
        elif abs(written) > _MOST_PLACES:
            expected = f"places from -{_MOST_PLACES} to {_MOST_PLACES}"
            raise WrongError(node.args[1], f"rounding to {code_of(node.args[1])} places", expected)
        return self.made(node, Kind(parts[0].kind.name, bits=parts[0].kind.bits), [parts[0].tree, places])

    def not_total(self, node: ast.Call, kind: Kind) -> None:
        if self.judge.scope.total and kind.name != "integer":
            raise WrongError(node, f"{code_of(node)}, which may have no value", "what always has a value")

    def ordered(self, node: ast.Call, parts: list[Part]) -> Part:
        kinds = [kind for kind in ORDERED if not (self.judge.scope.total and kind == "datetime")]
        kind = self.items(node, parts[0], kinds)
        kind = Kind("array", items=replace(kind, values=None), size=parts[0].kind.size)
        made = self.made(node, kind, [parts[0].tree])
        for word in node.keywords:
            if not isinstance(word.value, ast.Constant) or not isinstance(word.value.value, bool):
                raise WrongError(word.value, f"reverse={code_of(word.value)}", "reverse=True")
            if isinstance(made.tree, ast.Call):
                made.tree.keywords.append(ast.keyword("reverse", ast.Constant(word.value.value)))
        return made

    def truth(self, node: ast.Call, parts: list[Part]) -> Part:
        if parts[0].kind.name not in {"array", "generator"}:
            found = f"{code_of(node.args[0])}, of type {parts[0].kind}"
            raise WrongError(node.args[0], found, "an array, or a generator as in (… for … in …)")
        return self.made(node, Kind("boolean"), [parts[0].tree])

    def whole(self, node: ast.Call, parts: list[Part]) -> Part:
        self.convertible(node, parts[0].kind, ("boolean", "decimal", "integer", "number", "string"))
        return self.made(node, _whole_of(parts[0].kind), [parts[0].tree])

    def real(self, node: ast.Call, parts: list[Part]) -> Part:
        self.convertible(node, parts[0].kind, ("boolean", "decimal", "integer", "number", "string"))
        return self.made(node, Kind("number"), [parts[0].tree])

    def decimal(self, node: ast.Call, parts: list[Part]) -> Part:
        kind = parts[0].kind
        if kind.name == "number":
            hint = "decimal('1.5') for a literal, decimal(str(…)) for a field"
            raise WrongError(node.args[0], "decimal(…) of a number, which is not exact", "text or an integer", hint)
        self.convertible(node, kind, ("decimal", "integer", "string"))
        self.judge.used_modules.add(("decimal", "Decimal"))
        return self.made(node, Kind("decimal"), [parts[0].tree], "Decimal")

    def convertible(self, node: ast.Call, kind: Kind, kinds: Collection[str]) -> None:
        if kind.name not in kinds:
            raise WrongError(node.args[0], f"{code_of(node)}, of type {kind}", any_of(kinds))
        if self.judge.scope.total and kind.name not in {"boolean", "integer"}:
            raise WrongError(node, f"{code_of(node)}, which may have no value", "what always has a value")

    def text(self, node: ast.Call, parts: list[Part]) -> Part:
        if parts[0].kind.name not in _PLAIN:
            raise WrongError(node.args[0], f"str(…) of {parts[0].kind}", any_of(_PLAIN))
        if self.judge.scope.total and parts[0].kind.name == "integer":
            raise WrongError(node, "text of an integer, which may be too long", "what always has a value")
        return self.made(node, Kind("string"), [parts[0].tree])

    def boolean(self, node: ast.Call, parts: list[Part]) -> Part:
        if parts[0].kind.name == "generator":
            raise WrongError(node.args[0], "a generator, which is always true", "any(…), or all(…)")
        return self.made(node, Kind("boolean"), [parts[0].tree])

    def from_math(self, node: ast.Call, parts: list[Part]) -> Part:
        name = node.func.id if isinstance(node.func, ast.Name) else ""
        kinds = NUMBERS if name == "sqrt" else (*NUMBERS, "decimal")
        self.judge.number(node.args[0], parts[0].kind, kinds)
        if self.judge.scope.total:
            raise WrongError(node, f"{name}(…), which may have no value", "what always has a value")
        self.judge.used_modules.add(("math", name))
        return self.made(node, Kind("number") if name == "sqrt" else _whole_of(parts[0].kind), [parts[0].tree])

    def of_text(self, node: ast.Call, parts: list[Part]) -> Part:
        name = node.func.id if isinstance(node.func, ast.Name) else ""
        if parts[0].kind.name != "string":
            raise WrongError(node.args[0], f"{name}(…) of {parts[0].kind}", "text")
        return Part(Kind("string"), ast.Call(ast.Attribute(parts[0].tree, name), [], []))

    def edge(self, node: ast.Call, parts: list[Part]) -> Part:
        name = node.func.id if isinstance(node.func, ast.Name) else ""
        self.texts(node, parts)
        method = name.replace("_", "")
        return Part(Kind("boolean"), ast.Call(ast.Attribute(parts[0].tree, method), [parts[1].tree], []))

    def replaced(self, node: ast.Call, parts: list[Part]) -> Part:
        self.texts(node, parts)
        # What stands in the place of a character could be as long as the request.
        old, new = (_text_in(argument) for argument in node.args[1:])
        if not old or new is None:
            expected = "what is replaced, not empty, and what stands in its place, both written down"
            raise WrongError(node, code_of(node), expected)
        if not self.judge.apart and len(new) > len(old):
            raise WrongError(node, f"{code_of(node)}, which makes texts longer", "no more than what it replaces")
        return Part(
            Kind("string"), ast.Call(ast.Attribute(parts[0].tree, "replace"), [part.tree for part in parts[1:]], [])
        )

    def split(self, node: ast.Call, parts: list[Part]) -> Part:
        self.texts(node, parts)
        if not _text_in(node.args[1]):
            raise WrongError(node.args[1], code_of(node.args[1]), "what separates, not empty and written down")
        tree = ast.Call(ast.Attribute(parts[0].tree, "split"), [parts[1].tree], [])
        return Part(Kind("array", items=Kind("string"), size=ANY), tree)

    def joined(self, node: ast.Call, parts: list[Part]) -> Part:
        self.items(node, parts[0], ("string",))
        if _text_in(node.args[1]) is None:
            raise WrongError(node.args[1], code_of(node.args[1]), "what separates, written down")
        if self.judge.scope.total:
            raise WrongError(node, "join(…), whose text may be too long", "what always has a value")
        return Part(Kind("string"), ast.Call(ast.Attribute(parts[1].tree, "join"), [parts[0].tree], []))

    def digest(self, node: ast.Call, parts: list[Part]) -> Part:
        name = node.func.id if isinstance(node.func, ast.Name) else ""
        kind, tree = parts[0].kind, parts[0].tree
        if kind.name not in {"string", "bytes"}:
            raise WrongError(node.args[0], f"{name}(…) of {kind}", "text or bytes")
        self.judge.used_modules.add(("hashlib", name))
        data = tree if kind.name == "bytes" else ast.Call(ast.Attribute(tree, "encode"), [], [])
        return Part(Kind("string"), ast.Call(ast.Attribute(ast.Call(ast.Name(name), [data], []), "hexdigest"), [], []))

    def texts(self, node: ast.Call, parts: list[Part]) -> None:
        """Refuse arguments that are no texts."""
        name = node.func.id if isinstance(node.func, ast.Name) else ""
        for argument, part in zip(node.args, parts, strict=True):
            if part.kind.name != "string":
                raise WrongError(argument, f"{name}(…) with {code_of(argument)}, of type {part.kind}", "text")

    def seconds(self, node: ast.Call, parts: list[Part]) -> Part:
        if parts[0].kind.name != "duration":
            raise WrongError(node.args[0], f"seconds(…) of {parts[0].kind}", "a duration")
        return Part(Kind("number"), ast.Call(ast.Attribute(parts[0].tree, "total_seconds"), [], []))


def calls_of(judge: Values) -> _Calls:
    """Return what judges the calls of an expression."""
    return _Calls(judge)


@dataclass(frozen=True, slots=True)
class Function:
    """A function of expressions: how it is judged, how many arguments it takes, and what it is for, for people."""

    judge: _Function
    meaning: str
    least: int = 1
    most: int = 1
    keywords: tuple[str, ...] = ()
    takes_generator: bool = False


@dataclass(frozen=True, slots=True)
class Loop:
    """What a loop may go over beside arrays: what it gives, for people, and how many arguments it takes."""

    meaning: str
    least: int
    most: int
    keywords: tuple[str, ...] = ()


FUNCTIONS: Final[Mapping[str, Function]] = {
    "abs": Function(_Calls.absolute, "the number without its sign"),
    "all": Function(_Calls.truth, "whether all items are true", takes_generator=True),
    "any": Function(_Calls.truth, "whether any item is true", takes_generator=True),
    "bool": Function(_Calls.boolean, "whether it is neither 0, nor empty, nor None"),
    "ceil": Function(_Calls.from_math, "the next integer above"),
    "decimal": Function(_Calls.decimal, "a decimal from text or from an integer"),
    "ends_with": Function(_Calls.edge, "whether text ends with another", 2, 2),
    "float": Function(_Calls.real, "a number from text, a decimal or an integer"),
    "floor": Function(_Calls.from_math, "the next integer below"),
    "int": Function(_Calls.whole, "an integer from text or from a number, cut off"),
    "join": Function(_Calls.joined, "one text of many, with another between them", 2, 2, takes_generator=True),
    "len": Function(_Calls.length, "how many items or characters"),
    "lower": Function(_Calls.of_text, "text in lower case"),
    "max": Function(_Calls.extreme, "the largest", 1, _MANY, ("default",), takes_generator=True),
    "min": Function(_Calls.extreme, "the smallest", 1, _MANY, ("default",), takes_generator=True),
    "replace": Function(_Calls.replaced, "text with another in the place of a part, wherever it is", 3, 3),
    "round": Function(_Calls.rounded, "the nearest integer, or so many digits; halves to the even side", 1, 2),
    "seconds": Function(_Calls.seconds, "the seconds of a duration"),
    "set": Function(_Calls.different, "the items, each once, to be counted, sorted or searched", takes_generator=True),
    "sha256": Function(_Calls.digest, "the SHA-256 of text in UTF-8, or of bytes, in hexadecimal"),
    "sha512": Function(_Calls.digest, "the SHA-512 of the same"),
    "sorted": Function(_Calls.ordered, "the items in order", keywords=("reverse",), takes_generator=True),
    "split": Function(_Calls.split, "the parts of text between a separator", 2, 2),
    "sqrt": Function(_Calls.from_math, "the square root"),
    "starts_with": Function(_Calls.edge, "whether text begins with another", 2, 2),
    "str": Function(_Calls.text, "the value as text"),
    "strip": Function(_Calls.of_text, "text without spaces around it"),
    "sum": Function(_Calls.sum, "the sum", takes_generator=True),
    "upper": Function(_Calls.of_text, "text in upper case"),
}
"""The functions that expressions may call."""
LOOPS: Final = {
    "enumerate": Loop("the items with their numbers, from 0 or as the second argument says", 1, 2),
    "range": Loop("whole numbers up to `len(…)`, a literal, or what is added to either", 1, 2),
    "zip": Loop("the items of several arrays side by side, as many as the shortest has", 2, 5, ("strict",)),
}
"""The functions that loops may go over."""


def _whole_of(kind: Kind) -> Kind:
    """Return the type of the whole number that is made of a value."""
    made_of = {"decimal": DECIMAL_BITS, "number": NUMBER_BITS, "string": TEXT_BITS}
    return Kind("integer", bits=made_of.get(kind.name, kind.bits))


def _range_size(arguments: Sequence[ast.expr]) -> Size:
    """Return how long a range is; all in its bounds is a literal or the length of an array."""
    parts = [part for argument in arguments for part in ast.walk(argument)]
    literals = sum(abs(part.value) for part in parts if isinstance(part, ast.Constant) and isinstance(part.value, int))
    lengths = sum(isinstance(part, ast.Call) for part in parts)
    return Size(literals) if not lengths else Size(literals + lengths, 1)


def _text_in(node: ast.expr) -> str | None:
    """Return the text that is written down; None for anything else."""
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def _whole(node: ast.expr) -> int | None:
    """Return the whole number that is written down; None for anything else."""
    match node:
        case ast.Constant(value=int(number)):
            return number
        case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int(number))):
            return -number
        case _:
            return None


def _is_bounded(node: ast.expr) -> bool:
    match node:
        case ast.Constant():
            return isinstance(node.value, int) and abs(node.value) <= _LONGEST_RANGE
        case ast.Call(func=ast.Name(id="len")):
            return True
        case ast.BinOp(op=ast.Add() | ast.Sub()):
            return _is_bounded(node.left) and _is_bounded(node.right)
        case ast.UnaryOp():
            return _is_bounded(node.operand)
        case _:
            return False
