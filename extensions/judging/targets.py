"""Rules for the output fields that an implementation fills by name."""

from collections.abc import Iterator, Mapping

from ..language.contract import BASE_TYPES, spell_out
from ..text.problems import Path, Problem, did_you_mean, show
from ..text.specs import Specs

type Wanted = Mapping[str, tuple[str, tuple[str, ...] | None] | None]
"""What a key of `returns` takes: how that is said, and the types, None for all; None for a key that takes nothing."""


def targets(path: Path, returns: Specs, outputs: Specs, wanted: Wanted) -> Iterator[Problem]:
    """Find keys of `returns` whose output fields are none, or of another type.

    Args:
        path: Where `returns` is.
        returns: What becomes of a result.
        outputs: The operation's output fields.
        wanted: What each key takes.

    Yields:
        The problems.
    """
    for key, want in wanted.items():
        name = returns.get(key)
        if not isinstance(name, str):
            continue
        if want is None:
            yield Problem((*path, key), show(name), f"no {key}, since there is nothing that fills it")
            continue
        expected, kinds = want
        if name not in outputs:
            yield Problem((*path, key), show(name), expected, did_you_mean(name, outputs))
        elif kinds is not None:
            kind = str(spell_out(outputs[name]).get("type"))
            is_model = "object" in kinds and kind not in BASE_TYPES
            if kind not in kinds and not is_model:
                yield Problem((*path, key), show(name), expected)
    names = [name for name in (returns.get(key) for key in wanted) if isinstance(name, str)]
    if len(names) != len(set(names)):
        yield Problem(path, "one output field for two things", "an output field for each")
