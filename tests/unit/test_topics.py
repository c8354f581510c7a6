"""Names of topics in code: an event that several topics have is told apart."""

import pytest

from extensions.viewing import topics

ORDERS = "onex.evt.shop.order-placed.v1"


@pytest.mark.parametrize(
    ("among", "key"),
    [
        ((ORDERS,), "order-placed"),
        ((ORDERS, "onex.evt.shop.order-paid.v1"), "order-placed"),
        ((ORDERS, "onex.evt.other.order-placed.v1"), "evt.shop.order-placed.v1"),
        ((ORDERS, "onex.evt.shop.order-placed.v2"), "evt.shop.order-placed.v1"),
        ((ORDERS, "onex.cmd.shop.order-placed.v1"), "evt.shop.order-placed.v1"),
    ],
)
def test_key_is_the_event_where_that_is_enough(among: tuple[str, ...], key: str) -> None:
    assert topics.key(ORDERS, among) == key


def test_keys_of_different_topics_differ() -> None:
    among = (ORDERS, "onex.evt.shop.order-placed.v2", "onex.evt.other.order-placed.v1", "onex.cmd.shop.order-placed.v1")
    assert len({topics.key(topic, among) for topic in among}) == len(among)
