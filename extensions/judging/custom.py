"""Rules for what operations need that people write: distributions, settings, and when they run."""

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Protocol
from zoneinfo import available_timezones

from cronsim import CronSim, CronSimError
from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from ..language.contract import spell_out
from ..text.problems import Path, Problem, did_you_mean, show
from ..text.specs import Specs
from ..viewing import settings as known
from ..viewing.packages import everywhere

_KINDS = ("string", "integer", "number", "boolean")
_UNUSED = ("alias", "items", "values", "const", "format")


class Rules(Protocol):
    """The part of the rules for whole contracts that is needed here."""

    operations: list[Specs]

    def clean(self, path: Path) -> bool:
        """Tell whether nothing at or below the path is wrong already."""

    def field(self, path: Path, spec: object) -> Iterator[Problem]:
        """Find what is wrong with a field."""


def check(rules: Rules) -> Iterator[Problem]:
    """Find what is wrong with requirements, settings and schedules.

    Args:
        rules: The rules for the whole contract.

    Yields:
        The problems.
    """
    seen: dict[str, object] = {}
    for index, operation in enumerate(rules.operations):
        path: Path = ("operations", index)
        for key in ("requirements", "settings"):
            if key in operation and "handler" not in operation:
                yield Problem((*path, key), f"{key} without a custom handler", "handler: custom")
        if rules.clean((*path, "requirements")):
            yield from _requirements((*path, "requirements"), operation.get("requirements", ()))
        settings = operation.get("settings")
        for name, spec in settings.items() if isinstance(settings, Mapping) else ():
            place = (*path, "settings", name)
            if rules.clean(place):
                yield from _setting(rules, place, spec)
                if seen.setdefault(name, spec) != spec:
                    expected = "the same as where it stands first: operations share settings of one name"
                    yield Problem(place, "another setting of the same name", expected)
        if rules.clean((*path, "schedule")) and isinstance(operation.get("schedule"), Mapping):
            yield from _schedule((*path, "schedule"), operation["schedule"])


def _requirements(path: Path, texts: object) -> Iterator[Problem]:
    for index, text in enumerate(texts if isinstance(texts, (list, tuple)) else ()):
        try:
            requirement = Requirement(text)
        except InvalidRequirement as error:
            yield Problem((*path, index), show(text), "a distribution and its versions", str(error).splitlines()[0])
            continue
        if requirement.url:
            yield Problem((*path, index), show(text), "a name and versions, without an address")
        version = everywhere().get(canonicalize_name(requirement.name))
        if version is not None and version not in requirement.specifier:
            expected = f"versions such as {version}, which every node runs and is tested with"
            yield Problem((*path, index), show(text), expected)


def _setting(rules: Rules, path: Path, spec: object) -> Iterator[Problem]:
    name, long = str(path[-1]), spell_out(spec) if isinstance(spec, (str, Mapping)) else {}
    if name in known.NAMES or name.startswith("model_"):
        yield Problem(path, f"{show(name)}, a setting that nodes have anyway", "a name of its own")
    if long.get("type") not in _KINDS:
        yield Problem(path, f"a setting of type {long.get('type')}", f"one of {', '.join(_KINDS)}")
        return
    for key in _UNUSED:
        if key in long:
            yield Problem((*path, key), f"{key} of a setting", "none")
    if long.get("secret") is True and long.get("type") != "string":
        yield Problem((*path, "type"), f"a secret of type {long['type']}", "string")
    yield from rules.field(path, spec)


def _schedule(path: Path, spec: Specs) -> Iterator[Problem]:
    given = [key for key in ("every_seconds", "cron") if key in spec]
    if len(given) != 1:
        yield Problem(path, " and ".join(given) or "neither every_seconds nor cron", "one of every_seconds and cron")
    zone, cron = spec.get("time_zone"), spec.get("cron")
    if zone is not None and cron is None:
        yield Problem((*path, "time_zone"), "time_zone without cron", "cron: pauses are the same everywhere")
    if isinstance(zone, str) and zone not in available_timezones():
        hint = did_you_mean(zone, available_timezones())
        yield Problem((*path, "time_zone"), show(zone), "a time zone such as Europe/Berlin", hint)
    if isinstance(cron, str) and not _holds(lambda: next(CronSim(cron, datetime(2024, 1, 1, tzinfo=UTC)))):
        expected = "minute, hour, day of the month, month and day of the week, such as 0 6 * * mon"
        yield Problem((*path, "cron"), show(cron), expected)
    elif isinstance(cron, str) and len(cron.split()) != len(("minute", "hour", "day", "month", "weekday")):
        yield Problem((*path, "cron"), show(cron), "five fields: a run each second is every_seconds")


def _holds(test: Callable[[], object]) -> bool:
    try:
        test()
    except (CronSimError, StopIteration):
        return False
    return True
