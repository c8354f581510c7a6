"""How a node is deployed, as its contract says."""

from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml

from examples.rendering import export_template
from extensions.deciding.deployment import misfit, quantity, resources
from extensions.judging.judge import judge, read
from extensions.language.deployment import Amounts
from extensions.viewing.build import view
from extensions.viewing.deploy import DeployView, Needs, deploy_view
from extensions.viewing.environments import EnvironmentView
from tests.contracts.render import Renderer

CUSTOM = {"name": "a", "output": {"ok": "boolean"}, "handler": "custom"}
BEARER = {"issuer": "https://i.example.org/", "audience": "a", "jwks_url": "https://i.example.org:8443/keys"}
SQL = {"name": "a", "output": {"ok": "boolean"}, "database": {"query": "DELETE FROM t"}}


@dataclass(frozen=True)
class Setting:
    name: str
    type: str
    default: str
    arguments: tuple[str, ...] = ()

    @property
    def variable(self) -> str:
        return self.name.upper()


def raw(**values: object) -> dict[str, Any]:
    return {"name": "n", "package": "acme.p", "node_type": "effect", "operations": [SQL], **values}


def deployed(**values: object) -> DeployView:
    return view(read(raw(**values))).deploy


def problem(deployment: dict[str, Any]) -> str:
    (found,) = judge(raw(deployment=deployment))
    return str(found)


def test_defaults_are_safe() -> None:
    plain = deployed()
    assert plain.name == "n-effect"
    assert plain.image == "acme-p-n:1.0.0"
    assert (plain.replicas, plain.namespace, plain.service_monitor) == (None, "", None)
    assert plain.scaling
    assert (plain.scaling.min_replicas, plain.scaling.max_replicas, plain.scaling.cpu_percent) == (1, 3, 70)
    assert [(item.name, item.key, item.optional) for item in plain.given] == [("DATABASE_URL", "DATABASE_URL", False)]
    assert plain.compose_secrets == (("POSTGRES_PASSWORD", True),)
    assert list(plain.backends) == ["postgres"]
    assert deployed(operations=[CUSTOM]).backends == {}
    assert deployed(operations=[CUSTOM]).given == ()


@pytest.mark.parametrize(
    ("image", "full"),
    [
        ("registry.example.com:5000/team/node", "registry.example.com:5000/team/node:2.0.0-rc.1_x"),
        ("team/node:edge", "team/node:edge"),
        ("node@sha256:" + "0" * 64, "node@sha256:" + "0" * 64),
    ],
)
def test_image_has_a_tag(image: str, full: str) -> None:
    assert deployed(version="2.0.0-rc.1+x", deployment={"image": image}).image == full


def test_version_is_a_label() -> None:
    label = deployed(version="1.0.0+" + "a" * 56 + ".b").version_label
    assert len(label) <= 63
    assert label[-1].isalnum()


@pytest.mark.parametrize(
    ("deployment", "expected"),
    [
        ({"replicas": 2}, (None, 2, 4)),
        ({"replicas": 3, "autoscaling": {"min_replicas": 2, "max_replicas": 5}}, (None, 2, 5)),
        ({"replicas": 3, "autoscaling": {"enabled": False}}, (3, None, None)),
        ({"autoscaling": {"enabled": False}}, (1, None, None)),
        ({"replicas": 0}, (0, None, None)),
    ],
)
def test_replicas(deployment: dict[str, Any], expected: tuple[int | None, int | None, int | None]) -> None:
    found = deployed(deployment=deployment)
    scaling = found.scaling
    assert (found.replicas, scaling and scaling.min_replicas, scaling and scaling.max_replicas) == expected


def test_scaling_by_memory_only() -> None:
    scaling = deployed(deployment={"autoscaling": {"memory_percent": 80}}).scaling
    assert scaling
    assert (scaling.cpu_percent, scaling.memory_percent) == (None, 80)


@pytest.mark.parametrize(("text", "value"), [("500m", "0.5"), ("2", "2"), ("1.5Gi", "1610612736"), ("3k", "3000")])
def test_quantity(text: str, value: str) -> None:
    assert quantity(text) == Decimal(value)


def test_default_resources_never_contradict_the_contract() -> None:
    assert resources(Amounts(), Amounts("50m", "64Mi"))[0] == Amounts("50m", "64Mi")
    assert resources(Amounts("4", "2Gi"), Amounts())[1] == Amounts("4", "2Gi")
    assert resources(Amounts("200m", ""), Amounts("", "1Gi")) == (Amounts("200m", "256Mi"), Amounts("1", "1Gi"))


@pytest.mark.parametrize(
    ("dependency", "image", "data"),
    [
        (">=14", "postgres:18-alpine", "/var/lib/postgresql"),
        (">=14,<17", "postgres:16-alpine", "/var/lib/postgresql/data"),
        (">=16.2,<17", "postgres:16-alpine", "/var/lib/postgresql/data"),
        ("whatever", "postgres:18-alpine", "/var/lib/postgresql"),
        ("<3", "postgres:18-alpine", "/var/lib/postgresql"),
    ],
)
def test_compose_takes_the_release_that_the_contract_wants(dependency: str, image: str, data: str) -> None:
    backend = deployed(dependencies={"postgres": dependency}).backends["postgres"]
    assert (backend.image, backend.data) == (image, data)


def test_environment_reaches_settings_whatever_its_case() -> None:
    found = deployed(deployment={"env": {"log_level": "DEBUG", "TZ": "UTC", "RATIO": 0.5, "FLAG": True}})
    configuration = {variable.name: variable.value for variable in found.configuration}
    assert (configuration["LOG_LEVEL"], configuration["TZ"]) == ("DEBUG", "UTC")
    assert (configuration["RATIO"], configuration["FLAG"]) == ("0.5", "true")
    assert "log_level" not in configuration
    assert found.unread == ("FLAG", "RATIO", "TZ")


def test_references_are_given_by_whoever_deploys() -> None:
    found = deployed(deployment={"env": {"DATABASE_URL": "${secret.LOCKS_DB}", "REGION": "${env.REGION}"}})
    assert [(item.name, item.key) for item in found.given] == [("DATABASE_URL", "LOCKS_DB"), ("REGION", "REGION")]
    compose = {variable.name: variable.value for variable in found.compose}
    assert compose["REGION"] == "${REGION:?set it in deploy/.env}"
    assert compose["DATABASE_URL"].startswith("postgresql://node:${POSTGRES_PASSWORD:?")
    assert found.compose_secrets == (("POSTGRES_PASSWORD", True), ("REGION", False))


def test_secret_has_each_key_once() -> None:
    env = {"A": "${secret.X}", "B": "${secret.X}", "DATABASE_URL": "${secret.A}"}
    assert deployed(deployment={"env": env}).keys == (("A", False), ("X", False))


def test_compose_expands_nothing_in_text() -> None:
    found = deployed(deployment={"env": {"GREETING": "$HOME ${HOME:?x} $$"}})
    assert {variable.name: variable.value for variable in found.compose}["GREETING"] == "$$HOME $${HOME:?x} $$$$"
    assert found.compose_secrets == (("POSTGRES_PASSWORD", True),)


def test_stops_wait_for_the_drain_deadline() -> None:
    found = deployed(deployment={"env": {"SERVICE_DRAIN_SECONDS": 59.5}})
    assert (found.stop_seconds, found.grace_seconds) == (75, 80)


def test_settings_that_the_node_needs_have_to_be_given() -> None:
    contract = read(raw(deployment={"env": {"REGION": "eu"}}))
    settings = [
        Setting("region", "str | None", "None"),
        Setting("base_url", "str | None", "None"),
        Setting("api_key", "SecretStr | None", "None"),
        Setting("proxy_token", "SecretStr | None", "None"),
        Setting("proxy", "str | None", "None"),
        Setting("endpoint", "str | None", "None"),
        Setting("made", "Path", "Path('x')"),
        Setting("words", "tuple[str, ...]", "('a', 'b')"),
    ]
    needs = Needs(frozenset({"region", "base_url", "api_key"}), frozenset({"region", "endpoint"}))
    found = deploy_view(contract, settings, {}, needs, has_metrics=False)
    assert [(item.name, item.optional) for item in found.given] == [
        ("API_KEY", False),
        ("BASE_URL", False),
        ("ENDPOINT", True),
        ("PROXY_TOKEN", True),
    ]
    assert found.passed == ("ENDPOINT", "PROXY_TOKEN")
    configuration = {variable.name: variable.value for variable in found.configuration}
    assert (configuration["REGION"], configuration["WORDS"]) == ("eu", '["a", "b"]')
    assert not {"MADE", "PROXY"} & configuration.keys()


@pytest.mark.parametrize(
    ("deployment", "message"),
    [
        ({"image": "Not An Image"}, "deployment.image: found 'Not An Image', expected a name of a container image"),
        ({"namespace": "-x"}, "expected a name of a namespace"),
        ({"resources": {"limits": {"cpu": "256Mi"}}}, "expected a number of cores"),
        ({"resources": {"limits": {"memory": "500m"}}}, "expected a number of bytes"),
        ({"resources": {"limits": {"cpu": -1}}}, "expected at least 0.001"),
        (
            {"resources": {"requests": {"cpu": 2}, "limits": {"cpu": "1500m"}}},
            "what requests.cpu says, which is 2",
        ),
        ({"replicas": 9, "autoscaling": {"max_replicas": 4}}, "at least replicas, which is 9"),
        ({"env": {"SERVICE_PORT": 1}}, "expected service.port"),
        ({"env": {"service_host": "::"}}, "expected no value"),
        ({"env": {"URL": "http://${env.HOST}/"}}, "one whole reference"),
        ({"env": {"A": "1", "a": "2"}}, "differs from A in more than case"),
        ({"env": {"LOG_LEVEL": "LOUD"}}, "expected one of DEBUG, INFO, WARNING, ERROR"),
        ({"env": {"SERVICE_DRAIN_SECONDS": "soon"}}, "expected a number"),
        ({"env": {"DATABASE_POOL_MAX_SIZE": 0}}, "expected at least 1"),
        ({"service_monitor": {"labels": {"a b": "c"}}}, "label of Kubernetes"),
    ],
)
def test_problems(deployment: dict[str, Any], message: str) -> None:
    assert message in problem(deployment)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DATABASE_URL", "postgresql://db/locks-hidden"),
        ("PROXY", "http://me:hidden@proxy"),
        ("SMTP_PASSWORD", "hidden"),
        ("LLM_API_KEY", "hidden"),
    ],
)
def test_secrets_are_refused_and_not_shown(name: str, value: str) -> None:
    message = problem({"env": {name: value}})
    assert f"${{secret.{name}}}" in message
    assert "hidden" not in message


def test_pods_register_with_the_agent_of_their_machine() -> None:
    found = deployed(features=["service_discovery"])
    assert [item.name for item in found.of_pod] == ["HOST_IP", "CONSUL_HTTP_ADDR", "CONSUL_SERVICE_ADDRESS"]
    assert not {"CONSUL_HTTP_ADDR", "CONSUL_SERVICE_ADDRESS"} & {item.name for item in found.configuration}
    compose = {variable.name: variable.value for variable in found.compose}
    assert (compose["CONSUL_HTTP_ADDR"], compose["CONSUL_SERVICE_ADDRESS"]) == ("http://consul:8500", "node")
    assert found.passed == ("CONSUL_HTTP_TOKEN",)
    elsewhere = deployed(
        features=["service_discovery"], deployment={"env": {"CONSUL_HTTP_ADDR": "https://consul.example.org"}}
    )
    assert "CONSUL_HTTP_ADDR" not in [item.name for item in elsewhere.of_pod]
    assert "https://consul.example.org" in [item.value for item in elsewhere.configuration]


@pytest.mark.parametrize(
    ("host", "url"),
    [("::", "http://127.0.0.1:8000/ready"), ("::1", "http://[::1]:8000/ready"), ("box", "http://box:8000/ready")],
)
def test_service_definition(host: str, url: str) -> None:
    consul = {"check_interval_seconds": 1.5, "deregister_after_seconds": 90, "service_name": "locks"}
    document = view(read(raw(service={"host": host, "tags": ["a"]}, integrations={"consul": consul}))).service_manifest
    assert document == {
        "service": {
            "name": "locks",
            "tags": ["a"],
            "port": 8000,
            "meta": {"node": "node_n_effect", "version": "1.0.0"},
            "check": {
                "name": "ready",
                "http": url,
                "method": "GET",
                "interval": "1500ms",
                "timeout": "5s",
                "deregister_critical_service_after": "90s",
            },
        }
    }


@pytest.mark.parametrize(
    ("consul", "message"),
    [
        ({"url": "consul:8500"}, "a URL of Consul's agent"),
        ({"service_name": "No_Label"}, "a DNS label"),
        ({"deregister_after_seconds": 5}, "at least 60"),
        ({"hots": "x"}, "unknown key"),
    ],
)
def test_problems_of_consul(consul: dict[str, Any], message: str) -> None:
    (found,) = judge(raw(integrations={"consul": consul}))
    assert message in str(found)


@pytest.mark.parametrize(
    ("kind", "arguments", "good", "bad"),
    [
        ("int", ("ge=1", "le=9"), "9", "10"),
        ("int", (), "-3", "3.5"),
        ("float", ("gt=0",), "1e-3", "0"),
        ("float", (), ".5", "nan"),
        ("bool", (), "Yes", "maybe"),
        ("str | None", (), "anything", None),
        ('Literal["a", "b"]', (), "a", "c"),
    ],
)
def test_misfit(kind: str, arguments: tuple[str, ...], good: str, bad: str | None) -> None:
    setting = Setting("x", kind, "None", arguments)
    assert misfit(setting, good) == ""
    assert bad is None or misfit(setting, bad)


HTTP = {"name": "a", "output": {"ok": "boolean"}, "http": {"method": "GET", "path": "/a"}}
REDIS = {"name": "a", "output": {"ok": "boolean"}, "redis": {"command": "delete", "key": "k"}}
FILES = {"name": "a", "output": {"ok": "boolean"}, "filesystem": {"action": "delete", "path": "a"}}


def test_places_that_the_contract_names_are_given() -> None:
    client = {"base_url": "${env.API_URL}", "headers": {"Authorization": "Bearer ${secret.API_KEY}"}}
    tracing = {"observability": {"tracing": {"endpoint": "${env.TRACES_URL}"}}}
    found = deployed(operations=[HTTP], integrations={"api_client": client}, advanced_features=tracing)
    given = [(item.name, item.optional) for item in found.given]
    assert given == [("API_KEY", False), ("API_URL", False), ("TRACES_URL", True)]
    assert found.passed == ("TRACES_URL",)
    unnamed = deployed(operations=[HTTP])
    assert [(item.name, item.optional) for item in unnamed.given] == [("HTTP_BASE_URL", False)]
    said = deployed(operations=[HTTP], integrations={"api_client": {"base_url": "https://api.example.org"}})
    assert said.given == ()


def test_compose_brings_redis() -> None:
    named = {"redis": {"url": "${secret.SESSIONS}"}}
    for integrations, variable in (({}, "REDIS_URL"), (named, "SESSIONS")):
        found = deployed(operations=[REDIS], integrations=integrations)
        assert list(found.backends) == ["redis"]
        assert [(item.name, item.optional) for item in found.given] == [(variable, False)]
        assert {item.name: item.value for item in found.compose}[variable].endswith("@redis:6379/0")
        assert found.compose_secrets == (("REDIS_PASSWORD", True),)


def test_files_are_on_a_volume() -> None:
    for integrations, variable in (
        ({}, "FILES_ROOT"),
        ({"filesystem": {"root": "${env.HOME_OF_FILES}"}}, "HOME_OF_FILES"),
    ):
        found = deployed(operations=[FILES], integrations=integrations)
        assert found.folders == {"files": "/var/lib/node/files"}
        assert {item.name: item.value for item in found.configuration}[variable] == "/var/lib/node/files"
        assert found.given == ()


def environments_of(**values: object) -> dict[str, EnvironmentView]:
    return {environment.name: environment for environment in view(read(raw(**values))).environments}


def test_environments_say_what_differs() -> None:
    there = environments_of(
        integrations={"kafka": {}},
        deployment={
            "env": {"LOG_LEVEL": "INFO"},
            "environments": {
                "test": {"env": {"log_level": "DEBUG", "KAFKA_BOOTSTRAP_SERVERS": "k:9092"}},
                "same": {"env": {"LOG_LEVEL": "INFO"}},
                "live": {"replicas": 4, "namespace": "live"},
            },
        },
    )
    assert list(there) == ["live", "same", "test"]
    assert [(item.name, item.value) for item in there["test"].configuration] == [("LOG_LEVEL", "DEBUG")]
    assert [item.name for item in there["test"].settled] == ["KAFKA_BOOTSTRAP_SERVERS"]
    assert (there["live"].scaling, there["live"].replicas, there["live"].namespace) == ((4, 8), None, "live")
    base = view(read(raw(integrations={"kafka": {}}, deployment={"env": {"LOG_LEVEL": "INFO"}}))).configuration_checksum
    assert (there["same"].checksum == base, there["test"].checksum == base) == (True, False)
    fixed = environments_of(deployment={"autoscaling": {"enabled": False}, "environments": {"a": {"replicas": 0}}})
    assert (fixed["a"].replicas, fixed["a"].scaling) == (0, None)


@pytest.mark.parametrize(
    ("base", "image", "parts"),
    [
        ("", "team/x", ("acme-p-n", "team/x", "1.0.0", "")),
        ("r:5000/a:1", "r:5000/a:2", ("r:5000/a", "r:5000/a", "2", "")),
        ("a", f"a:2@sha256:{'0' * 64}", ("a", "a", "", f"sha256:{'0' * 64}")),
    ],
)
def test_images_of_environments(base: str, image: str, parts: tuple[str, ...]) -> None:
    deployment = {"image": base} if base else {}
    found = environments_of(deployment={**deployment, "environments": {"a": {"image": image}}})["a"].image
    assert found
    assert (found.base, found.name, found.tag, found.digest) == parts


def test_an_environment_with_the_same_image_says_nothing_of_it() -> None:
    assert environments_of(deployment={"image": "a", "environments": {"b": {"image": "a:1.0.0"}}})["b"].image is None


@pytest.mark.parametrize(
    ("env", "expected"),
    [
        ({"LOG_LEVEL": "LOUD"}, "deployment.environments.a.env.LOG_LEVEL: found a value that the setting log_level"),
        ({"REGION": "${env.REGION}"}, "expected a value, and no reference"),
        ({"API_TOKEN": "abc"}, "a contract holds no secrets"),
        ({"A": "1", "a": "2"}, "differs from A in more than case"),
        ({"SERVICE_PORT": 1}, "service.port, which decides the port"),
    ],
)
def test_variables_of_environments_are_judged(env: dict[str, Any], expected: str) -> None:
    assert expected in problem({"environments": {"a": {"env": env}}})


@pytest.mark.parametrize(
    ("values", "ports"),
    [
        ({}, (5432,)),
        ({"deployment": {"network_policy": {"egress_ports": [6432]}}}, (5432, 6432)),
        ({"operations": [CUSTOM]}, ()),
        ({"operations": [CUSTOM], "deployment": {"network_policy": {"egress_ports": [25]}}}, (25,)),
        ({"integrations": {"redis": {"url": "redis://r.example.org:7000/0"}}}, (5432, 7000)),
        ({"integrations": {"redis": {"url": "rediss://r.example.org"}}}, (5432, 6379)),
        ({"integrations": {"redis": {"url": "${env.REDIS}"}}}, (5432, 6379)),
        ({"integrations": {"kafka": {"bootstrap_servers": "a:1000,b:2000"}}}, (1000, 2000, 5432)),
        ({"integrations": {"kafka": {}}, "deployment": {"env": {"KAFKA_BOOTSTRAP_SERVERS": "k:29092"}}}, (5432, 29092)),
        (
            {
                "integrations": {"kafka": {"bootstrap_servers": "a:1000"}},
                "deployment": {"environments": {"x": {"env": {"KAFKA_BOOTSTRAP_SERVERS": "b:2000"}}}},
            },
            (1000, 2000, 5432),
        ),
        ({"integrations": {"api_client": {"base_url": "https://api.example.org/v1"}}}, (443, 5432)),
        ({"integrations": {"api_client": {"base_url": "${env.API}"}}}, (80, 443, 5432)),
        ({"integrations": {"consul": {}}}, (5432, 8500)),
        ({"advanced_features": {"observability": {"tracing": {"endpoint": "http://otel:4000"}}}}, (4000, 5432)),
        ({"service": {"auth": {"bearer": BEARER}}}, (5432, 8443)),
    ],
)
def test_nodes_reach_what_they_talk_to(values: dict[str, Any], ports: tuple[int, ...]) -> None:
    assert view(read(raw(**values))).egress == ports


def test_a_network_policy_can_be_left_out() -> None:
    path = "/deploy/kubernetes/networkpolicy.yaml"
    assert path not in view(read(raw())).left_out
    assert path in view(read(raw(deployment={"network_policy": False}))).left_out


def test_what_kustomizations_refer_to_is_there(tmp_path: Path) -> None:
    deployment = {"namespace": "base", "environments": {"a": {"namespace": "a", "replicas": 2}, "b": {"image": "i"}}}
    base, overlays = "deploy/kubernetes", [f"deploy/environments/{name}/kustomization.yaml" for name in "ab"]
    renderer = Renderer(export_template(tmp_path / "template"))
    found = renderer.texts(raw(deployment=deployment), f"{base}/kustomization.yaml", *overlays)
    manifests = yaml.safe_load(found[f"{base}/kustomization.yaml"])["resources"]
    there = {path.removeprefix(f"{base}/") for path in found if path.startswith(f"{base}/")}
    assert set(manifests) == there - {"kustomization.yaml", "secret.example.yaml"}
    kinds = {"ConfigMap", "Deployment", "HorizontalPodAutoscaler"}
    for overlay in overlays:
        document = yaml.safe_load(found[overlay])
        assert document["resources"] == ["../../kubernetes"]
        for patch in document["patches"]:
            assert yaml.safe_load(patch["patch"])["kind"] == patch["target"]["kind"]
            assert patch["target"]["kind"] in kinds
