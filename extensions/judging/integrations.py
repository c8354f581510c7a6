"""Rules for what effect nodes do beside SQL: HTTP requests, Kafka messages, Redis commands and files."""

import re
from collections.abc import Callable, Iterator, Mapping
from ipaddress import IPv6Address
from typing import Any, Protocol

from ..deciding import security
from ..language import filling, patterns, references
from ..language.contract import build_security, spell_out
from ..language.deployment import DEFAULT_PORT
from ..language.publishing import publications
from ..text.problems import Path, Problem, did_you_mean, show
from ..text.specs import Specs, list_of, mapping_of
from . import absent, files, given_values, http, redis
from . import events as events_judging

type Find = Callable[[str], str | None]

_INPUT = ("input", "env", "secret", *references.GIVEN)
_OUTSIDE = ("env", "secret")
_TOPIC = re.compile(r"onex\.(evt|cmd)\.[a-z0-9-]+\.[a-z0-9-]+\.v[0-9]+")
_SHORT_TOPIC = re.compile(r"[a-z]([_-]?[a-z0-9])*")
_INTEGRATION_OF = {"kafka": "kafka", "redis": "redis", "filesystem": "filesystem"}
_SCHEMES: dict[Path, tuple[str, ...]] = {
    ("integrations", "redis", "url"): ("redis://", "rediss://", "unix://"),
    ("advanced_features", "observability", "tracing", "endpoint"): ("http://", "https://"),
}
# What becomes text, whatever it refers to.
_TEXTS = ("path", "to", "key", "field", "headers")
NO_TEXTS = frozenset({"returns", "extract", "command", "method", "api", "not_found", "pages"})
"""The keys of implementations that take no references."""
# What others than the receiver see.
_SEEN: Mapping[str, tuple[str, ...]] = {
    "http": ("path", "query"),
    "kafka": ("key", "payload", "headers"),
    "redis": ("key", "field"),
    "filesystem": ("path", "to"),
}


class Rules(Protocol):
    """The part of the rules for whole contracts that is needed here."""

    raw: Specs
    models: dict[str, Specs]
    enums: dict[str, list[str]]
    unions: dict[str, Specs]
    operations: list[Specs]

    def clean(self, path: Path) -> bool:
        """Tell whether nothing at or below the path is wrong already."""

    def value(self, path: Path, value: object, spec: object) -> Iterator[Problem]:
        """Find what keeps a value from being one of a field."""


def check(rules: Rules, path: Path, operation: Specs) -> Iterator[Problem]:
    """Find what is wrong with an implementation beyond its schema.

    Args:
        rules: The rules for the whole contract.
        path: Where the implementation is; its last part is its key.
        operation: The operation.

    Yields:
        The problems.
    """
    key = str(path[-1])
    if key == "http":
        yield from http.turned_off(rules, path, mapping_of(operation[key]))
    elif mapping_of(rules.raw.get("integrations")).get(_INTEGRATION_OF[key]) is False:
        expected = f"another implementation, since integrations.{_INTEGRATION_OF[key]} is false"
        yield Problem(path, f"a use of {key}", expected)
    inputs = mapping_of(operation.get("input"))
    if not rules.clean((*path[:-1], "input")) or not rules.clean((*path[:-1], "output")):
        return
    spec = {name: value for name, value in operation[key].items() if rules.clean((*path, name))}
    texts = {name: value for name, value in spec.items() if name not in NO_TEXTS}
    find = _finder(inputs, rules.models)
    yield from references.problems(path, texts, _INPUT, find)
    yield from _single_values(rules, path, {name: spec[name] for name in _TEXTS if name in spec}, inputs)
    seen = {name: spec[name] for name in _SEEN[key] if name in spec}
    yield from _secrets(path, seen, _finder(inputs, rules.models), inputs, rules.models)
    yield from given_values.problems(path, spec, operation, rules.raw, rules.models)
    yield from absent.problems(path, spec, inputs, rules.models)
    yield from {"http": http.request, "kafka": _kafka, "redis": redis.command, "filesystem": files.action}[key](
        rules, path, spec, operation, find
    )


def _single_values(rules: Rules, path: Path, texts: Specs, inputs: Specs) -> Iterator[Problem]:
    """Find references to what is no single value, in places that take text."""
    find = _finder(inputs, rules.models)
    for place, text in references.texts(path, texts):
        for part in references.parts(text):
            if not isinstance(part, references.Reference) or part.source != "input" or find(part.name):
                continue
            kind = references.kind_at(part.name, inputs, rules.models)
            if kind in {"object", "array"} or kind in rules.models or kind in rules.unions:
                shown = show(f"${{input.{part.name}}}")
                yield Problem(place, f"{shown}, which is of type {kind}", "a single value, such as text or a number")


def _secrets(path: Path, texts: Specs, find: Find, inputs: Specs, models: Mapping[str, Specs]) -> Iterator[Problem]:
    """Find references to secret fields in what logs, topics and listings show."""
    for place, text in references.texts(path, texts):
        for part in references.parts(text):
            if not isinstance(part, references.Reference) or part.source != "input" or find(part.name):
                continue
            if references.spec_at(part.name, inputs, models).get("secret") is True:
                shown = show(f"${{input.{part.name}}}")
                yield Problem(place, f"{shown}, which is secret", "a place that nobody sees, such as a body")


def key(rules: Rules, path: Path, text: str, inputs: Specs) -> Iterator[Problem]:
    """Find what is wrong with a key that is made of inputs alone.

    Args:
        rules: The rules for the whole contract.
        path: Where it is.
        text: The key.
        inputs: The operation's input fields.

    Yields:
        The problems.
    """
    find = _finder(inputs, rules.models)
    yield from references.problems(path, text, ("input",), find)
    holder, name = path[:-1], str(path[-1])
    yield from _single_values(rules, holder, {name: text}, inputs)
    yield from _secrets(holder, {name: text}, find, inputs, rules.models)
    yield from absent.in_key(path, text, inputs, rules.models)


def parameter(rules: Rules, path: Path, text: str, inputs: Specs) -> Iterator[Problem]:
    """Find what is wrong with a parameter of a statement that is a reference.

    Args:
        rules: The rules for the whole contract.
        path: Where it is.
        text: The parameter.
        inputs: The operation's input fields.

    Yields:
        The problems.
    """
    wrong = list(references.problems(path, text, ("input", *references.GIVEN), _finder(inputs, rules.models)))
    yield from wrong
    if not wrong and len(references.parts(text)) != 1:
        yield Problem(path, show(text), "an input field, or one reference such as ${now}")


def settings(rules: Rules) -> Iterator[Problem]:
    """Find what is wrong with integrations, events and features beyond their schemas.

    Args:
        rules: The rules for the whole contract.

    Yields:
        The problems.
    """
    integrations = mapping_of(rules.raw.get("integrations"))
    for name in ("kafka", "redis", "filesystem"):
        path: Path = ("integrations", name)
        if rules.clean(path):
            sources = ("env",) if name in {"kafka", "filesystem"} else _OUTSIDE
            yield from references.problems(path, mapping_of(integrations.get(name)), sources, lambda _: None)
    for url, schemes in _SCHEMES.items():
        yield from _scheme(rules, url, schemes)
    for path, _ in http.clients(rules):
        yield from _scheme(rules, (*path, "base_url"), http.URLS)
    yield from http.apis(rules)
    yield from _host(rules)
    yield from _docs(rules)
    advanced = mapping_of(rules.raw.get("advanced_features"))
    tracing = mapping_of(mapping_of(advanced.get("observability")).get("tracing"))
    place: Path = ("advanced_features", "observability", "tracing", "endpoint")
    yield from references.problems(place, tracing.get("endpoint"), ("env",), lambda _: None)
    wrong = list(_patterns(advanced))
    yield from wrong
    if not wrong:
        yield from _examples(rules, advanced)
    yield from _ports(rules, advanced)
    yield from _events(rules, integrations)


def _scheme(rules: Rules, path: Path, schemes: tuple[str, ...]) -> Iterator[Problem]:
    url: Any = rules.raw
    for step in path:
        url = mapping_of(url).get(str(step))
    # What a reference stands for is not known here.
    if isinstance(url, str) and rules.clean(path) and not url.lower().startswith(("${", *schemes)):
        hint = f"{schemes[0]}{url}" if re.fullmatch(r"[\w.-]+(:\d+)?(/[\w./-]*)?", url) else ""
        yield Problem(path, show(url), f"a URL that starts with {' or '.join(schemes)}", hint)


def _host(rules: Rules) -> Iterator[Problem]:
    path: Path = ("service", "host")
    host = mapping_of(rules.raw.get("service")).get("host")
    if not isinstance(host, str) or ":" not in host or not rules.clean(path):
        return
    try:
        IPv6Address(host)
    except ValueError:
        yield Problem(path, show(host), "a name or an address; the port is service.port")


def _docs(rules: Rules) -> Iterator[Problem]:
    service = mapping_of(rules.raw.get("service"))
    if service.get("docs") is True and service.get("openapi") is False:
        yield Problem(("service", "docs"), "a page without a document", "service.openapi: true, or docs left out")


def _patterns(advanced: Specs) -> Iterator[Problem]:
    forbidden = mapping_of(advanced.get("security_validation")).get("forbidden_patterns")
    for index, pattern in enumerate(list_of(forbidden)):
        place: Path = ("advanced_features", "security_validation", "forbidden_patterns", index)
        wrong = patterns.objection(pattern) if isinstance(pattern, str) else ("a regular expression", "")
        if wrong is not None:
            yield Problem(place, show(pattern), *wrong)


def _examples(rules: Rules, advanced: Specs) -> Iterator[Problem]:
    if not rules.clean(("advanced_features", "security_validation")):
        return
    view = security.security(build_security(advanced.get("security_validation")))
    for number, operation in enumerate(rules.operations):
        for index, example in enumerate(list_of(operation.get("examples"))):
            path: Path = ("operations", number, "examples", index, "input")
            if rules.clean(path) and not security.allowed(view, mapping_of(example).get("input")):
                yield Problem(path, "text that is not allowed", "what advanced_features.security_validation lets pass")


def _ports(rules: Rules, advanced: Specs) -> Iterator[Problem]:
    port = mapping_of(mapping_of(advanced.get("observability")).get("metrics")).get("prometheus_port")
    if port is not None and port == mapping_of(rules.raw.get("service")).get("port", DEFAULT_PORT):
        place: Path = ("advanced_features", "observability", "metrics", "prometheus_port")
        yield Problem(
            place, show(port), "another port than service.port", "left out, metrics are on the service's port"
        )


def _events(rules: Rules, integrations: Specs) -> Iterator[Problem]:
    for index, operation in enumerate(rules.operations):
        told: set[tuple[str, str]] = set()
        for number, item in enumerate(publications(operation)):
            if (item.event, item.on) in told:
                place: Path = ("operations", index, "publishes", number)
                yield Problem(place, f"{show(item.event)} on {item.on} a second time", "each event once")
            told.add((item.event, item.on))
    events = mapping_of(mapping_of(rules.raw.get("subcontracts")).get("event_type"))
    by_name = {str(operation.get("name")): operation for operation in rules.operations}
    for side in ("consumed_events", "published_events"):
        seen: set[object] = set()
        for index, spec in enumerate(list_of(events.get(side))):
            path: Path = ("subcontracts", "event_type", side, index)
            event, name = mapping_of(spec).get("event"), mapping_of(spec).get("operation")
            if not rules.clean(path):
                continue
            if name not in by_name:
                yield Problem(
                    (*path, "operation"), show(name), "an operation of this node", did_you_mean(name, by_name)
                )
            yield from _topic((*path, "event"), str(event))
            inputs: Path = ("operations", _index(rules, name), "input")
            if side == "consumed_events" and name in by_name and rules.clean(inputs) and rules.clean(("models",)):
                yield from events_judging.check(rules, path, spec, mapping_of(by_name[str(name)].get("input")))
            key = event if side == "consumed_events" else (event, name)
            if key in seen:
                yield Problem((*path, "event"), f"{show(event)} a second time", "each event once")
            seen.add(key)
            others = [item.event for item in publications(mapping_of(by_name.get(str(name))))]
            if side == "published_events" and others and event not in others:
                place = (*path, "event")
                expected = f"{', '.join(others)}, which the operation publishes"
                yield Problem(place, show(event), expected, "write it down once")
            topic = mapping_of(mapping_of(by_name.get(str(name))).get("kafka")).get("topic")
            if (
                side == "published_events"
                and isinstance(topic, str)
                and topic.replace("_", "-") != str(event).replace("_", "-")
            ):
                yield Problem((*path, "event"), show(event), f"{topic}, the topic of the operation")
    if events.get("consumed_events") and integrations.get("kafka") is False:
        path = ("subcontracts", "event_type", "consumed_events")
        yield Problem(path, "events of Kafka", "none, since integrations.kafka is false")


def _index(rules: Rules, name: object) -> int:
    return next((index for index, spec in enumerate(rules.operations) if spec.get("name") == name), 0)


def _kafka(rules: Rules, path: Path, spec: Specs, operation: Specs, _find: Find) -> Iterator[Problem]:
    if isinstance(spec.get("topic"), str):
        yield from _topic((*path, "topic"), spec["topic"])
    filler = filling.filler(set(), "", silent=True)
    yield from filling.unfilled(path[:-1], operation, filler, rules.clean)


def _topic(path: Path, topic: str) -> Iterator[Problem]:
    if not _TOPIC.fullmatch(topic) and not _SHORT_TOPIC.fullmatch(topic):
        expected = "a short name such as order-placed, or a full one such as onex.evt.shop.order-placed.v1"
        yield Problem(path, show(topic), expected)


def _finder(inputs: Specs, models: Mapping[str, Specs]) -> Find:
    def find(name: str) -> str | None:
        fields: Specs = inputs
        done: list[str] = []
        for word in name.split("."):
            if word not in fields:
                known = ", ".join(fields) or "none"
                hint = did_you_mean(word, fields)
                where = f"a field of {'.'.join(done)}" if done else "an input field of this operation"
                return f"{where}, which are: {known}" + (f" ({hint})" if hint else "")
            kind = str(spell_out(fields[word]).get("type"))
            fields = models.get(kind, {})
            done.append(word)
        return None

    return find
