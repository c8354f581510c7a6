"""Several HTTP APIs in one node: what may be said of them, and what the node gets for each."""

from typing import Any

import pytest

from extensions.deciding.decisions import adapters
from extensions.judging.judge import judge, read
from extensions.viewing.build import view
from extensions.viewing.node import NodeView

ASK: dict[str, Any] = {"method": "GET", "path": "/"}
TRACKER = {"base_url": "${env.TRACKER_URL}", "headers": {"X-Key": "${secret.TRACKER_KEY}"}, "timeout_seconds": 3}
APIS = {"tracker": TRACKER, "mailer": {"base_url": "http://mail.example"}}


def contract(*asked: str | None, **others: Any) -> dict[str, Any]:  # noqa: ANN401 - of any type
    """Return a contract whose operations ask these APIs; None names none."""
    return {
        "name": "relay",
        "package": "acme",
        "node_type": "effect",
        "integrations": {"apis": APIS},
        "operations": [
            {"name": f"ask_{number}", "output": {"ok": "boolean"}, "http": ASK | ({"api": name} if name else {})}
            for number, name in enumerate(asked)
        ],
    } | others


def node(*asked: str | None, **others: Any) -> NodeView:  # noqa: ANN401 - of any type
    return view(read(contract(*asked, **others)))


@pytest.mark.parametrize(
    ("given", "place", "hint"),
    [
        (contract("traker"), "operations[0].http.api", "tracker"),
        (contract("tracker", integrations={"api_client": True}), "operations[0].http.api", ""),
        (contract(None), "operations[0].http.api", "integrations.api_client"),
        (contract(integrations={"apis": {}}, operations=[ASK]), "integrations.apis", ""),
        (contract("redis", integrations={"apis": {"redis": {}}}), "integrations.apis.redis", ""),
        (contract("a_health_check", integrations={"apis": {"a_health_check": {}}}), "integrations.apis", ""),
        (contract("a", integrations={"apis": {"a": {"base_url": "a.example"}}}), "integrations.apis.a.base_url", ""),
        (contract("a", integrations={"apis": {"a": {"base_url": "${input.x}"}}}), "integrations.apis.a.base_url", ""),
        (
            contract("a", integrations={"apis": {"a": {"headers": {"X-A": "\u00e4"}}}}),
            "integrations.apis.a.headers",
            "",
        ),
    ],
)
def test_what_may_not_be_said_of_apis(given: dict[str, Any], place: str, hint: str) -> None:
    found = [problem for problem in judge(given) if problem.place.startswith(place)]
    assert found, judge(given)
    assert hint in found[0].hint


def test_request_without_a_name_goes_to_the_api_without_one() -> None:
    both = node("tracker", None, integrations={"apis": APIS, "api_client": {"base_url": "http://a.example"}})
    assert [operation.handler_argument for operation in both.operations] == [
        "self.adapters.http_tracker",
        "self.adapters.http",
    ]
    assert [api.key for api in both.apis] == ["http", "http_tracker", "http_mailer"]


def test_each_api_has_settings_an_adapter_and_a_check_of_its_own() -> None:
    made = node("tracker", "mailer")
    assert [adapter.key for adapter in made.adapters] == ["http_tracker", "http_mailer"]
    settings = {setting.name: setting.default for setting in made.setting_fields}
    assert (settings["http_tracker_timeout_seconds"], settings["http_mailer_timeout_seconds"]) == ("3.0", "30.0")
    assert settings["http_mailer_base_url"] == "'http://mail.example'".replace("'", '"')
    assert {"tracker_url", "tracker_key"} <= settings.keys()
    assert "http_timeout_seconds" not in settings
    assert made.operations[0].timeout_seconds == 2 * 3


@pytest.mark.parametrize("name", ["tracker", "http_tracker"])
def test_breaker_and_check_of_one_of_them_differ(name: str) -> None:
    breaker = {"circuit_breaker": {"services": [{"name": name, "failure_threshold": 2}]}}
    health = [{"name": "MixinHealthCheck", "config": {"components": [{"name": name, "timeout_seconds": 9}]}}]
    made = node("tracker", "mailer", advanced_features=breaker, mixins=health)
    assert [(key, threshold) for key, threshold, _ in made.own_breakers] == [("http_tracker", 2)]
    assert made.health.timeouts == {"http_tracker": 9.0}
    assert made.not_generated == ()
    assert made.unanswered == ()


def test_setting_of_an_api_does_not_take_a_variable_of_the_contract() -> None:
    made = node("tracker", "a", integrations={"apis": APIS | {"a": {"base_url": "${env.HTTP_A_TIMEOUT_SECONDS}"}}})
    assert [variable.setting for variable in made.environment.all if "HTTP_A" in variable.variable] == [
        "env_http_a_timeout_seconds"
    ]


def test_apis_alone_make_an_adapter_each() -> None:
    custom = [{"name": "go", "handler": "custom"}]
    assert adapters(read(contract(operations=custom))) == ("http_tracker", "http_mailer")
