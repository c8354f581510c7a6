"""Topics are found by the names of their events."""

from pathlib import Path

import pytest
from onex_node_runtime.event_topics import Topics

CONTRACT = """
event_bus:
  publish_topics:
    - onex.evt.shop.order-placed.v1
    - onex.evt.shop.order-paid.v1
    - onex.evt.bank.order-paid.v1
consumed_events:
  - {topic: onex.evt.shop.order-shipped.v1}
  - {topic: onex.evt.bank.order-placed.v2}
"""


@pytest.fixture
def topics(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Topics:
    package = tmp_path / "node_with_topics"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "contract.yaml").write_text(CONTRACT, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    return Topics(package.name)


def test_names_of_events_lead_to_topics(topics: Topics) -> None:
    assert topics.published("order-placed") == "onex.evt.shop.order-placed.v1"
    assert topics.consumed("order-shipped") == "onex.evt.shop.order-shipped.v1"
    assert topics.consumed("order-placed") == "onex.evt.bank.order-placed.v2"


def test_topics_of_the_same_event_are_told_apart(topics: Topics) -> None:
    assert topics.published("evt.shop.order-paid.v1") == "onex.evt.shop.order-paid.v1"
    assert topics.published("evt.bank.order-paid.v1") == "onex.evt.bank.order-paid.v1"
    with pytest.raises(KeyError):
        topics.published("order-paid")


def test_what_is_published_is_not_consumed(topics: Topics) -> None:
    with pytest.raises(KeyError):
        topics.consumed("order-paid")
    with pytest.raises(KeyError):
        topics.published("order-shipped")
