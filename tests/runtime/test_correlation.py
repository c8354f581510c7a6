"""Which id a request has, by what its caller calls it."""

from uuid import UUID

import pytest
from onex_node_runtime.correlation import LONGEST_CALLER_ID, correlation_of

OWN = "7d444840-9dc0-11d1-b245-5ffdce74fad2"


def test_a_uuid_is_the_id() -> None:
    assert correlation_of(OWN) == (UUID(OWN), "")


@pytest.mark.parametrize("given", [OWN.upper(), OWN.replace("-", ""), f"{{{OWN}}}", f"urn:uuid:{OWN}", f"{OWN}-"])
def test_a_uuid_that_is_written_in_another_way_is_the_id_and_kept(given: str) -> None:
    assert correlation_of(given) == (UUID(OWN), given)


@pytest.mark.parametrize(
    ("given", "counts"),
    [
        (("", "order-7", OWN), "order-7"),
        ((OWN, "order-7"), OWN),
        (("\N{REPLACEMENT CHARACTER}", OWN.upper()), OWN.upper()),
    ],
)
def test_the_first_that_can_be_kept_counts(given: tuple[str, ...], counts: str) -> None:
    assert correlation_of(*given) == correlation_of(counts)


@pytest.mark.parametrize(
    ("given", "correlation_id"),
    [
        # They stay the same in all versions: callers look for them in logs.
        ("order-7", "604e6870-178a-5a7e-b1db-db3977b9e617"),
        ("a b", "41273022-129f-5163-987d-6f7a5f9e2fc8"),
        ("7", "5bd20866-3478-53f7-bc79-d2aae304b443"),
    ],
)
def test_an_id_of_a_callers_own_gives_one_that_stays_the_same(given: str, correlation_id: str) -> None:
    assert correlation_of(given) == (UUID(correlation_id), given)


def test_an_id_of_a_callers_own_has_a_longest_length() -> None:
    longest = "x" * LONGEST_CALLER_ID
    assert correlation_of(longest)[1] == longest
    assert correlation_of(f"{longest}x")[1] == ""


@pytest.mark.parametrize(
    "given", ["", "ä", "a\nb", "\x7f", "x" * (LONGEST_CALLER_ID + 1), OWN + "-" * LONGEST_CALLER_ID]
)
def test_what_can_not_be_kept_is_replaced_by_a_new_id_each_time(given: str) -> None:
    (first, own), (second, _) = correlation_of(given), correlation_of(given)
    assert own == ""
    assert first != second
    assert {first.version, second.version} == {4}
