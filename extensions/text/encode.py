"""How text of a contract lands in each output format: the one place that decides.

Every function takes any text and returns text that is safe, and means the same, where its name says. Python code is
written as `ruff format` writes it, so that formatting the output changes nothing.
"""

import json
import math
import re
import textwrap
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from .markers import MARKERS

LINE_LENGTH = 120


class Code(str):
    """Python code made by these modules, as opposed to text that has to be encoded."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Call:
    """A call of a function with one argument, which is a value like any other."""

    function: str
    argument: object


_FIRST_ASTRAL = 0x10000
_WITHOUT_WIDTH = frozenset(("Mn", "Me", "Cf"))


def width(text: str) -> int:
    """Return the columns that the formatter takes a text to have: each character counts for itself."""
    return len(text) if text.isascii() else sum(map(_columns, text))


def _columns(char: str) -> int:
    if unicodedata.category(char) in _WITHOUT_WIDTH:
        return 0
    return 2 if unicodedata.east_asian_width(char) in {"W", "F"} else 1


def _escape_unprintable(text: str) -> str:
    """Return the text with escapes that Python, TOML and YAML all read for what is invisible in it."""
    return "".join(char if char.isprintable() else _escape(ord(char)) for char in text)


def _escape(code: int) -> str:
    return f"\\u{code:04x}" if code < _FIRST_ASTRAL else f"\\U{code:08x}"


def py_string(text: str) -> str:
    """Return a Python string literal, with the quotes that need fewer escapes and double ones by preference."""
    quote = "'" if text.count('"') > text.count("'") else '"'
    return quote + _string_body(text, quote) + quote


def py_fstring(parts: Sequence[str]) -> str:
    """Return an f-string.

    Args:
        parts: Literal texts, and expressions that hold no quotes as instances of Code.

    Returns:
        The literal, with nothing in the texts that ends it, escapes, or starts an expression.
    """
    plain = "".join(part for part in parts if not isinstance(part, Code))
    quote = "'" if plain.count('"') > plain.count("'") else '"'
    pieces = (
        f"{{{part}}}" if isinstance(part, Code) else _string_body(part, quote).replace("{", "{{").replace("}", "}}")
        for part in parts
    )
    return f"f{quote}{''.join(pieces)}{quote}"


def _unmarked(literal: str) -> str:
    """Return the inside of a literal without what ONEX takes for a note that something is left to do."""
    return MARKERS.sub(lambda match: f"{match[0][:2]}{_escape(ord(match[0][2]))}{match[0][3:]}", literal)


def _string_body(text: str, quote: str) -> str:
    body = text.replace("\\", "\\\\").replace("\n", "\\n").replace("\t", "\\t").replace("\r", "\\r")
    return _unmarked(_escape_unprintable(body.replace(quote, f"\\{quote}")))


def py(value: object) -> str:
    """Return a Python literal on one line for a value of JSON or YAML; Code stays as it is."""
    match value:
        case Code():
            return str(value)
        case Call():
            return f"{value.function}({py(value.argument)})"
        case str():
            return py_string(value)
        case float() if not math.isfinite(value):
            return f'float("{value}")'
        case Mapping():
            return "{" + ", ".join(f"{py(key)}: {py(item)}" for key, item in value.items()) + "}"
        case tuple():
            return "(" + ", ".join(py(item) for item in value) + ("," if len(value) == 1 else "") + ")"
        case list():
            return "[" + ", ".join(py(item) for item in value) + "]"
        case _:
            return repr(value)


def py_block(value: object, indent: int) -> str:
    """Return a Python literal spread over lines, one item a line, that `ruff format` leaves as it is.

    Args:
        value: A value of JSON or YAML.
        indent: Columns by which the statement that holds the literal is indented.

    Returns:
        The literal; lists and mappings that are not empty are spread, at every depth.
    """
    inner = " " * (indent + 4)
    if isinstance(value, Call) and isinstance(value.argument, (Mapping, list)) and value.argument:
        return f"{value.function}(\n{inner}{py_block(value.argument, indent + 4)}\n{' ' * indent})"
    if isinstance(value, Mapping) and value:
        items = [f"{inner}{py(key)}: {py_block(item, indent + 4)},\n" for key, item in value.items()]
        return "{\n" + "".join(items) + " " * indent + "}"
    if isinstance(value, list) and value:
        return "[\n" + "".join(f"{inner}{py_block(item, indent + 4)},\n" for item in value) + " " * indent + "]"
    return py(value)


def repeated(value: object, least: int = 40) -> object:
    """Return a value of JSON, in which a long text of one character over and over is code that says so.

    Args:
        value: The value; what is in it is looked at, too.
        least: From how many characters on a text is long.
    """
    match value:
        case str() if len(value) >= least and len(set(value)) == 1:
            return Code(f"{py_string(value[0])} * {len(value)}")
        case Mapping():
            return {key: repeated(item, least) for key, item in value.items()}
        case list():
            return [repeated(item, least) for item in value]
    return value


def py_tuple(values: Sequence[object]) -> str:
    """Return a tuple at the top of a module: on one line where it fits, else one item a line."""
    line = py(tuple(values))
    if width(line) + 20 <= LINE_LENGTH:
        return line
    return "(\n" + "".join(f"    {py(value)},\n" for value in values) + ")"


def py_set(values: Sequence[object]) -> str:
    """Return a set at the top of a module, spread like a list where it does not fit on one line."""
    if not values:
        return "set()"
    line = "{" + ", ".join(py(value) for value in values) + "}"
    if width(line) + 20 <= LINE_LENGTH:
        return line
    return "{\n" + "".join(f"    {py(value)},\n" for value in values) + "}"


def py_triple(text: str) -> str:
    r"""Return the text as a triple-quoted Python string that starts with a line of its own.

    Args:
        text: Lines of text, such as a query; it gets a line end if it has none.

    Returns:
        The literal, with nothing in it that ends it, escapes, or is invisible.
    """
    lines = text.replace("\\", "\\\\").replace('"""', '\\"\\"\\"').rstrip("\n").split("\n")
    shown = [_unmarked(_escape_unprintable(line)) for line in lines]
    shown = [line[:-1] + "\\x20" if line.endswith(" ") else line for line in shown]
    return '"""\\\n' + "\n".join(shown) + '\n"""'


def one_line(text: str) -> str:
    """Return the text on one line: runs of white space become a space, other invisible characters vanish."""
    visible = "".join(char if char.isprintable() else " " for char in text)
    return " ".join(visible.split())


def sentence(text: str) -> str:
    """Return the text on one line, ended by a full stop unless it ends in punctuation."""
    line = one_line(text)
    return line if not line or line[-1] in ".!?" else f"{line}."


def docstring(text: str, title: str, indent: int = 0) -> str:
    """Return a docstring: the text alone where it fits on a line, else the title and then the text.

    Args:
        text: Any text, which may be empty.
        title: A sentence that serves where the text is empty or too long.
        indent: Columns by which the docstring is indented.

    Returns:
        The docstring with its quotes, its first line without the indent.
    """
    body = sentence(text) or sentence(title)
    safe = body.replace("\\", "\\\\").replace('"', '\\"') if '"""' in body else body.replace("\\", "\\\\")
    safe = _unmarked(safe)
    if safe.startswith('"'):
        safe = f"\\{safe}"
    if safe.endswith('"'):
        safe = f'{safe[:-1]}\\"'
    if width(safe) + indent + 6 <= LINE_LENGTH:
        return f'"""{safe}"""'
    paragraph = textwrap.wrap(safe, LINE_LENGTH - indent, break_long_words=False, break_on_hyphens=False)
    heading = _unmarked(sentence(title).replace("\\", "\\\\").replace('"', '\\"'))
    return "\n".join([f'"""{heading}', "", *[" " * indent + line for line in paragraph], " " * indent + '"""'])


def yaml_string(value: object) -> str:
    """Return a scalar for YAML, which reads JSON's strings, numbers, booleans and null as they are."""
    return _unmarked(_escape_unprintable(json.dumps(value, ensure_ascii=False)))


def yaml_key(name: str) -> str:
    """Return an identifier as a key for YAML, in quotes where YAML would read it as something else."""
    words = ("true", "false", "yes", "no", "on", "off", "y", "n", "null")
    return yaml_string(name) if name.lower() in words else name


def json_value(value: object, indent: int | None = None) -> str:
    """Return JSON for the value, keys in the order in which they are."""
    return json.dumps(value, ensure_ascii=True, indent=indent)


def toml_string(text: str) -> str:
    """Return a basic string for TOML, whose escapes are those of JSON, and eight digits beyond the basic plane."""
    return _escape_unprintable(json.dumps(text, ensure_ascii=False))


def markdown(text: str) -> str:
    """Return text for a paragraph or table cell of Markdown, nothing in it acting as markup."""
    return re.sub(r"([\\`*_{}\[\]<>()#+!|~&$])", r"\\\1", one_line(text))


def markdown_code(text: str) -> str:
    """Return an inline code span that holds the text, with a fence longer than any run of backticks in it."""
    line = one_line(text).replace("|", "\\|")
    fence = "`" * (max((len(run) for run in re.findall("`+", line)), default=0) + 1)
    pad = " " if line.startswith("`") or line.endswith("`") else ""
    return f"{fence}{pad}{line}{pad}{fence}"


def markdown_number(value: float) -> str:
    """Return a number as people write it: whole ones without a point."""
    return repr(int(value) if float(value).is_integer() else value)


def signature(parameters: Sequence[str], head: str, returns: str, indent: int = 0) -> str:
    """Return the first lines of a function.

    Args:
        parameters: Its parameters as code.
        head: `def` and the name.
        returns: The type that it returns.
        indent: Columns by which the function is indented.

    Returns:
        One line where it fits, else one parameter a line; without the indent of the first line.
    """
    line = f"{head}({', '.join(parameters)}) -> {returns}:"
    if width(line) + indent <= LINE_LENGTH:
        return line
    pad = " " * indent
    return f"{head}(\n" + "".join(f"{pad}    {parameter},\n" for parameter in parameters) + f"{pad}) -> {returns}:"


def assignment(value: str, target: str, indent: int = 0) -> str:
    """Return an assignment: on one line unless only parentheses around the value let it fit.

    Args:
        value: An expression that has nowhere to be split.
        target: What it is assigned to, with its annotation.
        indent: Columns by which the statement is indented.

    Returns:
        The statement, without the indent of its first line.
    """
    line = f"{target} = {value}"
    if width(line) + indent <= LINE_LENGTH or width(value) + indent + 4 > LINE_LENGTH:
        return line
    pad = " " * indent
    return f"{target} = (\n{pad}    {value}\n{pad})"


def py_call(function: str, arguments: Sequence[str], indent: int, around: int = 1) -> str:
    """Return a call in the middle of a statement.

    Args:
        function: What is called.
        arguments: Code that has nowhere to be split.
        indent: Columns by which the statement's line is indented.
        around: What else is on that line, in columns.

    Returns:
        One line where it fits, else the arguments on a line of their own, or on one each.
    """
    line = ", ".join(arguments)
    if width(f"{function}({line})") + indent + around <= LINE_LENGTH:
        return f"{function}({line})"
    pad = " " * (indent + 4)
    if width(line) + indent + 4 <= LINE_LENGTH:
        return f"{function}(\n{pad}{line}\n{' ' * indent})"
    return f"{function}(\n{''.join(f'{pad}{argument},\n' for argument in arguments)}{' ' * indent})"


def call(argument: str, head: str) -> str:
    """Return a call at the top of a module, its argument on a line of its own where it does not fit.

    Args:
        argument: Code that has nowhere to be split.
        head: What comes before it, up to the parenthesis.
    """
    line = f"{head}({argument})"
    return line if width(line) <= LINE_LENGTH else f"{head}(\n    {argument}\n)"


def imports(symbols: Sequence[tuple[str, str]], indent: int = 0, package: Sequence[str] | None = None) -> str:
    """Return `from … import …` lines in the order and form of ruff's isort and formatter.

    Args:
        symbols: Pairs of module and name, in any order, repeats allowed.
        indent: Columns by which the lines are to be indented.
        package: The folders below `tests` in which the file is that imports from there relatively; None for a file
            that imports nothing relatively.

    Returns:
        The lines, not indented yet, sorted by module and name; one that is too long is spread. Relative ones are last,
        after an empty line.
    """
    if package is not None:
        found = list(symbols)
        far = [symbol for symbol in found if symbol[0].partition(".")[0] != "tests"]
        near = [(_relative(module, package), name) for module, name in found if (module, name) not in far]
        relative = imports(near, indent)
        return "\n\n".join(lines for lines in (imports(far, indent), relative) if lines)
    modules: dict[str, set[str]] = {}
    for module, name in symbols:
        modules.setdefault(module, set()).add(name)
    sorted_names = {module: sorted(modules[module], key=_import_order) for module in sorted(modules)}
    return "\n".join(_import_line(module, found, indent) for module, found in sorted_names.items())


def _relative(module: str, package: Sequence[str]) -> str:
    """Return a module below `tests` as a file in a package there imports it."""
    parts = module.split(".")[1:]
    shared = 0
    while shared < len(package) and shared < len(parts) - 1 and parts[shared] == package[shared]:
        shared += 1
    return "." * (1 + len(package) - shared) + ".".join(parts[shared:])


def _import_order(name: str) -> tuple[int, str]:
    if name.isupper() and len(name) > 1:
        return 0, name
    return (1, name) if name[:1].isupper() else (2, name)


def _import_line(module: str, names: Sequence[str], indent: int) -> str:
    line = f"from {module} import {', '.join(names)}"
    if width(line) + indent <= LINE_LENGTH:
        return line
    return f"from {module} import (\n" + "".join(f"    {name},\n" for name in names) + ")"
