"""Mistakes from different rules, to be planted into contracts: of two of them, none may hide the other."""

import copy
from collections.abc import Callable
from typing import Any

from extensions.judging.judge import judge
from extensions.text.problems import Path, Problem

type Contract = dict[str, Any]
type Plant = Callable[[Contract], Path | None]


def top(key: str, value: object, *below: str | int) -> Plant:
    """Return what puts a value at the top of a contract; the problem is there, or below."""

    def plant(contract: Contract) -> Path:
        contract[key] = value
        return key, *below

    return plant


def operation(number: int, key: str, value: object, *below: str | int) -> Plant:
    """Return what adds a key to an operation, or to a mapping that it has."""

    def plant(contract: Contract) -> Path | None:
        found = contract["operations"][number]
        index = contract["operations"].index(found)
        if isinstance(value, dict) and key in ("input", "output"):
            found.setdefault(key, {}).update(value)
        else:
            found[key] = value
        return ("operations", index, key, *below)

    return plant


def inside(part: str, key: str, value: object, *below: str | int) -> Plant:
    """Return what sets a key of the first implementation of a kind."""

    def plant(contract: Contract) -> Path | None:
        for index, found in enumerate(contract["operations"]):
            if part in found:
                found[part][key] = value
                return ("operations", index, part, key, *below)
        return None

    return plant


def statement(key: str, value: object, *below: str | int) -> Plant:
    """Return what sets a key of the last statement of the first transaction."""

    def plant(contract: Contract) -> Path | None:
        for index, found in enumerate(contract["operations"]):
            if statements := found.get("database", {}).get("statements"):
                statements[-1][key] = value
                return ("operations", index, "database", "statements", len(statements) - 1, key, *below)
        return None

    return plant


def step(key: str, value: object, *below: str | int, number: int = -1) -> Plant:
    def plant(contract: Contract) -> Path | None:
        for index, found in enumerate(contract["operations"]):
            if "workflow" in found:
                steps = found["workflow"]["steps"]
                steps[number][key] = value
                return (
                    "operations",
                    index,
                    "workflow",
                    "steps",
                    len(steps) + number if number < 0 else number,
                    key,
                    *below,
                )
        return None

    return plant


def cycle(contract: Contract) -> Path | None:
    for index, found in enumerate(contract["operations"]):
        steps = found["workflow"]["steps"] if "workflow" in found else []
        if len(steps) > 1:
            steps[0]["after"] = [steps[1]["name"]]
            steps[1]["after"] = [steps[0]["name"]]
            return ("operations", index, "workflow", "steps", 0, "after")
    return None


def machine(key: str, value: object, *below: str | int) -> Plant:
    def plant(contract: Contract) -> Path | None:
        fsm = contract.get("subcontracts", {}).get("fsm")
        if fsm is None:
            return None
        if key == "states":
            fsm["states"] = {**dict.fromkeys(fsm["states"], "a"), **dict(value)} if isinstance(value, dict) else value
        elif key == "transitions":
            fsm["transitions"] = [*fsm["transitions"], value]
            return ("subcontracts", "fsm", "transitions", len(fsm["transitions"]) - 1, *below)
        else:
            fsm[key] = value
        return ("subcontracts", "fsm", key, *below)

    return plant


def first_state(contract: Contract) -> str:
    fsm = contract.get("subcontracts", {}).get("fsm")
    return next(iter(fsm["states"])) if fsm else ""


def unfilled(contract: Contract) -> Path | None:
    found = contract["operations"][0]
    if "handler" in found:
        return None
    found["output"]["nowhere"] = "uuid"
    return "operations", 0, "output", "nowhere"


def no_example(contract: Contract) -> Path | None:
    """Let the last operation take a text for which no example is found."""
    found = contract["operations"][-1]
    if "examples" in found or "schedule" in found:
        return None
    found.setdefault("input", {})["hard"] = {"type": "string", "pattern": "^[\\x01-\\x08]$"}
    return "operations", len(contract["operations"]) - 1, "examples"


# Each from a rule of its own.
PLANTS: dict[str, Plant] = {
    "control character": operation(0, "input", {"bell": {"type": "string", "pattern": "^\a$"}}, "bell", "pattern"),
    "pattern": operation(0, "input", {"odd": {"type": "string", "pattern": "["}}, "odd", "pattern"),
    "no example": no_example,
    "name of a model": lambda contract: top("models", {**contract.get("models", {}), "odd": {"fields": {}}}, "odd")(
        contract
    ),
    "name given twice": lambda contract: (
        operation(-1, "name", contract["operations"][0]["name"])(contract) if len(contract["operations"]) > 1 else None
    ),
    "rounds": step("repeat", {"until": "true", "max_rounds": 0}, "max_rounds", number=0),
    "step without a name": step("name", 5),
    "unknown key": top("descriptin", "x"),
    "port of another type": top("service", {"port": "many"}, "port"),
    "version": top("version", "1.0.0-next"),
    "feature": top("features", ["retri"], 0),
    "variable": top("deployment", {"env": {"LOG_LEVEL": "LOUD"}}, "env", "LOG_LEVEL"),
    "credential": top("description", "AKIA" + "ABCDEFGHIJKLMNOP"),
    "name of an operation": operation(-1, "name", "get-user"),
    "key of an operation": operation(0, "databse", {}),
    "unknown type": operation(0, "input", {"odd": "strng"}, "odd"),
    "limit of another kind": operation(0, "input", {"big": {"type": "string", "minLength": 5.5}}, "big", "minLength"),
    "limit of another type": operation(-1, "input", {"id": {"type": "uuid", "minLength": 1}}, "id", "minLength"),
    "keyword": operation(-1, "input", {"class": {"type": "string", "required": False}}, "class"),
    "unfilled": unfilled,
    "deadline": operation(-1, "timeout_seconds", "long"),
    "schedule": operation(0, "schedule", {"every_seconds": 0}, "every_seconds"),
    "scope": operation(0, "scopes", ["two words"], 0),
    "callers": top("service", {"auth": {"api_keys": {"header": "Host"}}}, "auth", "api_keys", "header"),
    "parameter": inside("database", "parameters", ["ownr"], 0),
    "rows": inside("database", "returns", {"rows": "some"}, "rows"),
    "column of a statement": statement("parameters", ["nobody.id"], 0),
    "name of a statement": statement("name", "No Name"),
    "age of what is kept": operation(0, "cache", {"memory": "kept", "ttl_seconds": 0}, "ttl_seconds"),
    "what is forgotten": operation(-1, "invalidates", ["nobody"], 0),
    "path of HTTP": inside("http", "path", "/${input.nobody}"),
    "expression on a result": operation(-1, "then", {"nobody": "1"}),
    "text of an answer": inside("http", "extract", {"nobody": {"text": True}}, "nobody"),
    "page": inside("http", "pages", {"next": {"link": "next"}, "items": "$", "into": "lists", "at_most": 0}, "at_most"),
    "not found": inside("http", "not_found", "nobody"),
    "API": inside("http", "api", "nobody"),
    "method": inside("http", "method", "FETCH"),
    "key of Redis": inside("redis", "key", "${input.nobody}"),
    "command": inside("redis", "command", "gett"),
    "score": inside("redis", "score", "high"),
    "target of a file": inside("filesystem", "to", "../a"),
    "key of Kafka": inside("kafka", "key", "${input.nobody}"),
    "topic": inside("kafka", "topic", "Order Placed"),
    "expression": inside("compute", "nothing_there", "1"),
    "group": inside("aggregate", "group_by", ["nobody"], 0),
    "measure": inside("aggregate", "measures", {"odd": {"sum": "nobody"}}, "odd", "sum"),
    "cycle": cycle,
    "reference to a step": step("input", {"x": "${steps.nobody.x}"}, "x"),
    "reference to the input": step(
        "compensate", {"operation": "undo", "input": {"y": "${input.nobody}"}}, "input", "y", number=0
    ),
    "attempts": step("retry", {"max_attempts": 0}, "max_attempts"),
    "initial state": machine("initial_state", "nowhere"),
    "any source": lambda contract: machine(
        "transitions", {"trigger": "go", "from": "*", "to": first_state(contract)}, "from"
    )(contract),
    "target": lambda contract: machine(
        "transitions", {"trigger": "fly", "from": first_state(contract), "to": "nowhere"}, "to"
    )(contract),
    "trigger": machine("trigger", "nobody"),
    "model": lambda contract: top(
        "models", {**contract.get("models", {}), "Odd": {"fields": {"x": "strng"}}}, "Odd", "fields", "x"
    )(contract),
    "retry policy": top(
        "advanced_features",
        {"retry_policy": {"initial_delay_ms": 500, "max_delay_ms": 100}},
        "retry_policy",
        "max_delay_ms",
    ),
}


def told(problems: list[Problem], path: Path) -> bool:
    return any(problem.path[: len(path)] == path for problem in problems)


def hidden(contract: Contract, first: str, second: str) -> list[str]:
    """Plant two mistakes, and return those that are not told.

    Args:
        contract: A valid contract, in which each of the two is told when it is alone.
        first: What the first mistake is called.
        second: And the second.

    Returns:
        A line for each; none where one of them can't be there beside the other.
    """
    contract = copy.deepcopy(contract)
    paths = PLANTS[first](contract), PLANTS[second](contract)
    shorter, longer = sorted(paths, key=lambda path: len(path or ()))
    if shorter is None or longer is None or longer[: len(shorter)] == shorter:
        return []
    if {first, second} & {"rows", "command", "method", "page"} and "unfilled" in {first, second}:
        return []  # which may be the reason
    # What one of them replaced, the other did not change.
    if not _there(contract, paths[0]):
        return []
    problems = judge(contract)
    return [f"{first} beside {second}: {path}" for path in paths if path and not told(problems, path)]


def _there(contract: Contract, path: Path | None) -> bool:
    found: Any = contract
    for part in path or ():
        try:
            found = found[part]
        except (KeyError, IndexError, TypeError):
            return False
    return True
