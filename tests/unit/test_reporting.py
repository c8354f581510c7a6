"""What was generated is counted, drawn and told."""

import json
import re
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from examples.rendering import ROOT
from extensions.project.places import Place
from extensions.reporting import events
from extensions.reporting.events import EventError, destination, event
from extensions.reporting.generation import generation
from extensions.reporting.known import VARIABLE, hand_on, handed_on, of_answers
from extensions.reporting.page import page

PROJECT = ROOT / "examples" / "rendered" / "distributed_lock"


def test_report_counts_what_is_there_and_says_what_was_decided() -> None:
    made = generation(PROJECT, problems=())
    values = made.as_values()
    manifest = json.loads((PROJECT / ".onex-manifest.json").read_text(encoding="utf-8"))
    there = [PROJECT / name for name in manifest["files"] if (PROJECT / name).is_file()]

    assert made.total.files == len(there)
    assert made.total.lines == sum(len(path.read_text(encoding="utf-8").splitlines()) for path in there)
    assert {path for paths in made.paths.values() for path in paths} <= manifest["files"].keys()
    assert values["artifacts"]["node_name"] == "node_distributed_lock_effect"
    assert values["artifacts"]["service_name"] == "distributed_lock"
    for key in ("node_file", "contract_file", "init_file"):
        file = PROJECT / values["artifacts"][key]
        assert (file.is_file(), file.parent.name) == (True, "node_distributed_lock_effect")
    assert {decision["subject"] for decision in values["decisions"]} >= {"base class", "template variant"}
    assert all(decision["reasons"] for decision in values["decisions"])
    assert "NodeEffect" in values["mixins"]
    assert values["test_functions"] == sum(
        len(re.findall(r"def test_", path.read_text(encoding="utf-8"))) for path in there if "tests" in path.parts
    )
    assert values["validation_passed"] is True


def test_report_is_the_same_each_time_and_time_is_on_the_screen_alone() -> None:
    one, other = (generation(PROJECT) for _ in range(2))

    assert one.as_json() == other.as_json()
    assert "time" not in one.as_values()
    assert "in 2.5 s" in one.as_text(2.5)


def test_what_is_no_generated_node_is_told(tmp_path: Path) -> None:
    with pytest.raises(OSError, match=re.escape(Place().answers)):
        generation(tmp_path)


def test_what_is_handed_on_is_reported_as_what_is_worked_out(monkeypatch: pytest.MonkeyPatch) -> None:
    known = of_answers(PROJECT, Place())
    environment: dict[str, str] = {}
    hand_on(environment, known)
    monkeypatch.setenv(VARIABLE, environment[VARIABLE])

    assert handed_on() == known
    assert generation(PROJECT, known=handed_on()).as_json() == generation(PROJECT).as_json()


def test_what_is_known_of_another_node_counts_for_nothing() -> None:
    known = replace(of_answers(PROJECT, Place()), node="node_other_effect", package="other")

    assert generation(PROJECT, known=known).as_json() == generation(PROJECT).as_json()


@pytest.mark.parametrize("text", [None, "", "[]", "{", '{"node": "x"}'])
def test_what_is_not_handed_on_is_worked_out(monkeypatch: pytest.MonkeyPatch, text: str | None) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    if text is not None:
        monkeypatch.setenv(VARIABLE, text)

    assert handed_on() is None


def test_what_an_environment_may_not_hold_is_taken_back() -> None:
    known = of_answers(PROJECT, Place())
    environment: dict[str, str] = {}
    hand_on(environment, known)
    hand_on(environment, replace(known, features=("x" * 10_000,)))
    assert not environment

    hand_on(environment, known)
    hand_on(environment, None)
    assert not environment


def test_page_is_whole_and_loads_nothing() -> None:
    made = generation(PROJECT)

    text = page([("<shop>", made), ("other", made)], [("broken", "a & b")])

    assert "&lt;shop&gt;" in text
    assert "a &amp; b" in text
    assert not re.search(r"<script|<link|\bsrc=|https?://", text)
    for chart in re.findall(r"<svg.*?</svg>", text, re.DOTALL):
        rectangles = ET.fromstring(chart).iter("rect")  # noqa: S314 - it was made here
        assert all(float(each.attrib["width"]) >= 0 for each in rectangles)
    assert f"2 nodes, {2 * made.total.lines} lines" in text


def test_event_is_what_was_generated_with_its_time() -> None:
    made = generation(PROJECT)

    told = event(made, 1.25)

    assert told["message_category"] == "event"
    assert told["payload"]["generation_time_ms"] == 1250.0
    assert told["payload"].items() >= made.as_values().items()


@pytest.mark.parametrize(
    ("text", "expected"),
    [("kafka://localhost:9092/nodes", ("localhost:9092", "nodes")), ("kafka://a:1,b:2/x.y", ("a:1,b:2", "x.y"))],
)
def test_where_events_go(text: str, expected: tuple[str, str]) -> None:
    assert destination(text) == expected


@pytest.mark.parametrize("text", ["nodes", "http://localhost/x", "kafka://localhost:9092", "kafka://u:p@localhost/x"])
def test_places_that_take_no_events(text: str) -> None:
    with pytest.raises(EventError, match="expected kafka://HOST:PORT/TOPIC"):
        destination(text)


def test_broker_that_is_away_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(events.VARIABLE, "kafka://127.0.0.1:1/nodes")

    with pytest.raises(EventError, match=r"not sent to nodes at 127\.0\.0\.1:1"):
        events.send(generation(PROJECT))


def test_nothing_is_sent_where_nobody_listens(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(events.VARIABLE, raising=False)

    events.send(generation(PROJECT))
