# Copied from copier-onex as it is, the same in every node. Change it in the template, not here.
"""What a folder of deployment files says, held against the settings and the service of its node."""

import hashlib
import json
import re
from pathlib import Path
from typing import Any, ClassVar

import pytest
import yaml
from pydantic_settings import BaseSettings
from starlette.applications import Starlette
from starlette.routing import Route


class Deployed:
    """What a node deploys with: tests of it derive from this, and say what is the node's own.

    Attributes:
        FOLDER: Where the files are.
        SETTINGS: The class of the node's settings.
        PORT: Where the service listens.
        PORTS: Names of ports, with the settings that say where they are.
        OFFERED: Whether a port is open to others.
        OTHERS: What the contract's `deployment.env` names that is no setting of the node: its libraries read it, or
            its handlers.
        NEEDED: What the node needs, and only whoever deploys it can know.
    """

    FOLDER: ClassVar[Path]
    SETTINGS: ClassVar[type[BaseSettings]]
    PORT: ClassVar[int]
    PORTS: ClassVar[tuple[tuple[str, str], ...]] = (("http", "SERVICE_PORT"),)
    OFFERED: ClassVar[bool] = True
    OTHERS: ClassVar[frozenset[str]] = frozenset()
    NEEDED: ClassVar[frozenset[str]] = frozenset()

    def app(self, settings: Any) -> Starlette:
        """Return the service's application; tests of a node say how."""
        raise NotImplementedError

    @classmethod
    def manifest(cls, name: str) -> dict[str, Any]:
        """Return a file of the folder."""
        document: dict[str, Any] = yaml.safe_load((cls.FOLDER / name).read_text(encoding="utf-8"))
        return document

    @classmethod
    def variables(cls, kind: str = "") -> set[str]:
        """Return the environment variables of settings whose type's name holds a word."""
        fields = cls.SETTINGS.model_fields.items()
        return {str(field.validation_alias or name).upper() for name, field in fields if kind in str(field.annotation)}

    @pytest.fixture
    def pod(self) -> dict[str, Any]:
        """The pods that are deployed."""
        return dict(self.manifest("kubernetes/deployment.yaml")["spec"]["template"]["spec"])

    @pytest.fixture
    def container(self, pod: dict[str, Any]) -> dict[str, Any]:
        """The only container in them."""
        (only,) = pod["containers"]
        return dict(only)

    @pytest.fixture
    def configuration(self) -> dict[str, str]:
        """The variables that are no secrets."""
        return dict(self.manifest("kubernetes/configmap.yaml")["data"])

    @pytest.fixture
    def settings(self, configuration: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Any:
        """The settings of a node that is deployed."""
        for name in self.variables():
            monkeypatch.delenv(name, raising=False)
        for name, value in configuration.items():
            monkeypatch.setenv(name, value)
        return self.SETTINGS()

    @pytest.fixture
    def paths(self, settings: Any) -> set[str]:
        """The paths that the service answers."""
        return {route.path for route in self.app(settings).routes if isinstance(route, Route)}


class DeployedContainers(Deployed):
    """Tests of what runs: variables, ports and probes."""

    def test_variables_are_settings(self, container: dict[str, Any], configuration: dict[str, str]) -> None:
        variables = {*configuration, *(variable["name"] for variable in container.get("env", ()))}
        compose = set(self.manifest("compose.yaml")["services"]["node"]["environment"])
        for given in (variables, compose):
            assert given - self.OTHERS <= self.variables()
            assert given >= self.NEEDED

    def test_settings_take_the_configuration(self, settings: Any) -> None:
        assert (settings.service_host, settings.service_port) == ("0.0.0.0", self.PORT)

    def test_ports_agree(self, container: dict[str, Any], configuration: dict[str, str]) -> None:
        ports = [(port["name"], str(port["containerPort"])) for port in container["ports"]]
        assert ports == [(name, configuration[setting]) for name, setting in self.PORTS]
        if self.OFFERED:
            offered = self.manifest("kubernetes/service.yaml")["spec"]["ports"]
            assert [(port["targetPort"], str(port["port"])) for port in offered] == ports
            published = self.manifest("compose.yaml")["services"]["node"]["ports"]
            assert [port.rpartition(":")[2] for port in published] == [number for _, number in ports]
        dockerfile = (self.FOLDER / "Dockerfile").read_text(encoding="utf-8")
        assert f"EXPOSE {' '.join(number for _, number in ports)}\n" in dockerfile
        assert re.findall(r"SERVICE_PORT=(\d+)", dockerfile) == [configuration["SERVICE_PORT"]]

    def test_probes_ask_what_the_service_answers(self, container: dict[str, Any], paths: set[str]) -> None:
        for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
            assert container[probe]["httpGet"]["path"] in paths
            assert container[probe]["httpGet"]["port"] == container["ports"][0]["name"]

    def test_pods_live_long_enough_to_drain(
        self, pod: dict[str, Any], container: dict[str, Any], configuration: dict[str, str]
    ) -> None:
        pause = float(container["lifecycle"]["preStop"]["exec"]["command"][1])
        assert pod["terminationGracePeriodSeconds"] > pause + float(configuration["SERVICE_DRAIN_SECONDS"])


class DeployedFiles(Deployed):
    """Tests of what belongs together: labels, checksums and secrets."""

    def test_selectors_find_the_pods(self) -> None:
        labels = self.manifest("kubernetes/deployment.yaml")["spec"]["template"]["metadata"]["labels"]
        for name in ("deployment", "poddisruptionbudget"):
            assert self.manifest(f"kubernetes/{name}.yaml")["spec"]["selector"]["matchLabels"].items() <= labels.items()
        if self.OFFERED:
            assert self.manifest("kubernetes/service.yaml")["spec"]["selector"].items() <= labels.items()

    def test_pods_are_replaced_when_the_configuration_changes(self, configuration: dict[str, str]) -> None:
        template = self.manifest("kubernetes/deployment.yaml")["spec"]["template"]
        assert template["metadata"]["annotations"]["onex/configuration-checksum"] == checksum(configuration)
        for overlay in sorted(self.FOLDER.glob("environments/*/kustomization.yaml")):
            document = yaml.safe_load(overlay.read_text(encoding="utf-8"))
            assert all((overlay.parent / resource).is_dir() for resource in document["resources"])
            changes = (yaml.safe_load(item["patch"]) for item in document["patches"])
            patches = {patch["kind"]: patch for patch in changes}
            there = configuration | patches.get("ConfigMap", {}).get("data", {})
            annotations = patches["Deployment"]["spec"]["template"]["metadata"]["annotations"]
            assert annotations["onex/configuration-checksum"] == checksum(there)

    def test_files_hold_no_secrets(self, container: dict[str, Any], configuration: dict[str, str]) -> None:
        secrets = self.variables("SecretStr")
        assert not secrets & configuration.keys()
        for variable in container.get("env", ()):
            assert "value" not in variable or variable["name"] not in secrets


class DeployedForConsul(Deployed):
    """Tests of what Consul is told.

    Attributes:
        TAGS: Those of the service.
    """

    TAGS: ClassVar[tuple[str, ...]] = ()

    def test_consul_manifests_agree(self, settings: Any, paths: set[str]) -> None:
        document = json.loads((self.FOLDER / "service_manifest.json").read_text(encoding="utf-8"))
        assert self.manifest("service_manifest.yaml") == document
        service = document["service"]
        assert service["name"] == settings.consul_service_name
        assert service["tags"] == list(self.TAGS)
        assert service["port"] == settings.service_port
        assert service["check"]["http"].rpartition(f":{service['port']}")[2] in paths

    def test_pods_tell_consul_where_they_are(self, container: dict[str, Any], configuration: dict[str, str]) -> None:
        variables = {*configuration, *(variable["name"] for variable in container["env"])}
        assert {"CONSUL_HTTP_ADDR", "CONSUL_SERVICE_ADDRESS"} <= variables


def checksum(configuration: dict[str, str]) -> str:
    """Return what pods are marked by, so that they are replaced when it changes."""
    return hashlib.sha256(json.dumps(configuration, sort_keys=True).encode()).hexdigest()
