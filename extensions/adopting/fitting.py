"""Makes a contract valid that was made of something else: what can't stay becomes a note."""

from collections.abc import Sequence
from typing import Any

from ..judging.judge import judge
from ..text.problems import Path, Problem
from .adopted import Adopted

_MOST_ROUNDS = 60
_SHAPES = ("input", "output", "fields")


def fit(adopted: Adopted) -> list[Problem]:
    """Take out of a contract what keeps it from being valid, as little as possible at a time.

    Args:
        adopted: The contract, which is changed, and the notes, to which each change is added.

    Returns:
        The problems that are left, which only a person can solve.
    """
    problems: list[Problem] = judge(adopted.contract)
    for _ in range(_MOST_ROUNDS):
        changed = False
        done: set[Path] = set()
        # The innermost first: what is around it may be sound without it.
        for problem in sorted(problems, key=lambda one: (-len(one.path), str(one.path))):
            if any(problem.path[: len(other)] == other or other[: len(problem.path)] == problem.path for other in done):
                continue
            if _mend(adopted, problem):
                done.add(problem.path)
                adopted.notes.append((problem.place, f"found {problem.found}, expected {problem.expected}; left out"))
                changed = True
        problems = judge(adopted.contract)
        if not problems or not changed:
            break
    return problems


def _mend(adopted: Adopted, problem: Problem) -> bool:
    contract, path = adopted.contract, problem.path
    holder = _at(contract, path[:-1])
    if not path or holder is None:
        return False
    match path:
        case ("models", str(name)) if "itself" in problem.found or "always" in problem.found:
            return _loosen(contract, name)
        case ("models", str(name)) | ("models", str(name), "one_of", *_) | ("models", str(name), "discriminator"):
            return _replace_type(contract, name)
        case ("models" | "operations", _, str(side), str(field)) if side in _SHAPES:
            return _simplify(holder, field)
        case ("models" | "operations", _, str(side), str(field), *rest) if side in _SHAPES:
            return _relax(contract, path[:4], rest)
        case ("subcontracts" | "advanced_features" | "integrations" | "domain" | "features" | "dependencies", *_):
            return _drop(adopted, path)
        case ("operations", int(), str(key), *_) if key not in {"name", "handler"}:
            return _pop(_at(contract, path[:2]), key)
        case _:
            return False


def _relax(contract: dict[str, Any], place: Path, rest: Sequence[str | int]) -> bool:
    """Take out the word of a field that is wrong; where that is its type, the field becomes an object."""
    spec = _at(contract, place)
    if not isinstance(spec, dict):
        return False
    for part in rest[:-1]:
        if part in {"items", "values"} and isinstance(spec.get(part), dict):
            spec = spec[str(part)]
        else:
            word = part
            break
    else:
        word = rest[-1]
    if word == "type":
        spec.clear()
        spec["type"] = "object"
    elif word in {"items", "values"} and isinstance(spec.get(word), str):
        del spec[word]
    elif word in spec:
        if word == "default":
            spec["required"] = False
        del spec[str(word)]
    else:
        return False
    return True


def _simplify(fields: Any, name: str) -> bool:
    """Turn a field whose type is wrong into an object, or leave out one whose name can't stay."""
    if not isinstance(fields, dict) or name not in fields:
        return False
    spec = fields[name]
    if isinstance(spec, str) and spec != "object":
        fields[name] = "object"
    elif isinstance(spec, dict) and spec.get("type") != "object":
        fields[name] = {"type": "object"} | {
            key: spec[key] for key in ("required", "description", "alias") if key in spec
        }
    else:
        del fields[name]
    return True


def _loosen(contract: dict[str, Any], name: str) -> bool:
    """Let the models that a model always holds be left out, so that a value of it ends."""
    changed = False
    fields = contract["models"][name].get("fields", {})
    for key, spec in fields.items():
        long = {"type": spec} if isinstance(spec, str) else spec
        if long.get("type") in contract["models"] and long.get("required", True):
            fields[key] = {word: value for word, value in long.items() if word != "default"} | {"required": False}
            changed = True
    return changed


def _replace_type(contract: dict[str, Any], name: str) -> bool:
    """Take a model out; fields of its type become objects."""
    contract["models"].pop(name, None)
    if not contract["models"]:
        del contract["models"]
    for fields in shapes(contract):
        for key, spec in fields.items():
            fields[key] = _without(spec, name)
    for model in contract.get("models", {}).values():
        if name in model.get("one_of", ()):
            model["one_of"] = [other for other in model["one_of"] if other != name]
    return True


def _without(spec: Any, name: str) -> Any:
    if isinstance(spec, str):
        return "object" if spec == name else spec
    made = {key: _without(value, name) if key in {"items", "values"} else value for key, value in spec.items()}
    if made["type"] == name:
        return {"type": "object"} | {key: made[key] for key in ("required", "description", "alias") if key in made}
    return made


def shapes(contract: dict[str, Any]) -> list[dict[str, Any]]:
    """Return all sets of fields of a contract: of models, inputs and outputs."""
    found = [model["fields"] for model in contract.get("models", {}).values() if "fields" in model]
    for operation in contract.get("operations", []):
        found += [operation[side] for side in ("input", "output") if side in operation]
    return found


def _drop(adopted: Adopted, path: Path) -> bool:
    """Take out what is wrong below the parts that a contract can do without, and keep it as a comment."""
    contract = adopted.contract
    whole = path[:2] if len(path) > 1 else path[:1]
    if path[:2] == ("subcontracts", "event_type") and len(path) > 3:  # noqa: PLR2004 - a side and the place in it
        events = _at(contract, path[:3])
        if isinstance(events, list) and isinstance(path[3], int) and len(events) > path[3]:
            adopted.kept.setdefault("", {}).setdefault(str(path[2]), []).append(events.pop(path[3]))
            if not events:
                _pop(contract["subcontracts"]["event_type"], str(path[2]))
            if not contract["subcontracts"]["event_type"]:
                _pop(contract["subcontracts"], "event_type")
            if not contract["subcontracts"]:
                _pop(contract, "subcontracts")
            return True
    holder = _at(contract, whole[:-1])
    if not isinstance(holder, dict) or whole[-1] not in holder:
        return False
    adopted.keep("", ".".join(map(str, whole)), holder.pop(whole[-1]))
    if len(whole) > 1 and not holder:
        contract.pop(str(whole[0]), None)
    return True


def _pop(holder: Any, key: str) -> bool:
    return isinstance(holder, dict) and holder.pop(key, None) is not None


def _at(value: Any, path: Path) -> Any:
    for part in path:
        if isinstance(value, dict):
            value = value.get(part)
        elif isinstance(value, list) and isinstance(part, int) and part < len(value):
            value = value[part]
        else:
            return None
    return value


def prune(contract: dict[str, Any]) -> None:
    """Take out the models and enums that no operation leads to, in place."""
    models = contract.get("models", {})
    needed: set[str] = set()
    waiting = [
        word
        for operation in contract.get("operations", [])
        for side in ("input", "output", "settings")
        for word in _types(operation.get(side, {}))
    ]
    while waiting:
        name = waiting.pop()
        if name in needed:
            continue
        needed.add(name)
        waiting += _types(models.get(name, {}).get("fields", {}))
        waiting += models.get(name, {}).get("one_of", [])
    for key in ("models", "enums"):
        kept = {name: spec for name, spec in contract.get(key, {}).items() if name in needed}
        if kept:
            contract[key] = kept
        else:
            contract.pop(key, None)


def _types(fields: dict[str, Any]) -> list[str]:
    found: list[str] = []
    waiting = list(fields.values())
    while waiting:
        spec = waiting.pop()
        if isinstance(spec, str):
            found.append(spec)
        elif isinstance(spec, dict):
            found.append(str(spec.get("type")))
            waiting += [spec[key] for key in ("items", "values") if key in spec]
    return found
