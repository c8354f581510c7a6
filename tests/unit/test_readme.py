"""What the README says of the integrations of a node."""

import pytest

from examples.rendering import CONTRACTS, read_contract
from extensions.judging.judge import read
from extensions.viewing.build import view
from extensions.viewing.readme import Readme
from extensions.viewing.settings import SettingView


def readme_of(contract: str) -> Readme:
    return view(read(read_contract(CONTRACTS / f"{contract}.yaml"))).readme


@pytest.mark.parametrize(
    ("contract", "servers", "readiness"),
    [
        ("distributed_lock", "PostgreSQL", "the database answers"),
        ("session_cache", "Redis", "Redis answers"),
        ("order_state", "PostgreSQL", "the database answers"),
        ("price_quote", "", "the node is initialized"),
    ],
)
def test_servers_and_readiness(contract: str, servers: str, readiness: str) -> None:
    readme = readme_of(contract)
    assert readme.servers == servers
    assert readme.readiness == readiness


@pytest.mark.parametrize(
    ("contract", "codes"),
    [
        (
            "distributed_lock",
            [
                "RESOURCE_NOT_FOUND",
                "VALIDATION_ERROR",
                "DUPLICATE_REGISTRATION",
                "DATABASE_QUERY_ERROR",
                "DATABASE_CONNECTION_ERROR",
            ],
        ),
        ("session_cache", ["RESOURCE_NOT_FOUND", "NETWORK_ERROR", "OPERATION_FAILED"]),
        ("price_quote", []),
    ],
)
def test_errors(contract: str, codes: list[str]) -> None:
    assert [code for code, _, _ in readme_of(contract).errors] == codes


@pytest.mark.parametrize(
    ("default", "shown"),
    [
        ("None", ""),
        ("True", "true"),
        ("5.0", "5.0"),
        ('"a b"', "a b"),
        ('SecretStr("redis://127.0.0.1")', "redis://127.0.0.1"),
        ('Path("var/a")', "var/a"),
        ('("a", "b")', '["a", "b"]'),
        ("Level.HIGH", "Level.HIGH"),
    ],
)
def test_default_is_that_of_the_environment(default: str, shown: str) -> None:
    setting = SettingView("name", "str", default, (), "Meaning.", "NAME")
    assert readme_of("price_quote").default(setting) == shown
