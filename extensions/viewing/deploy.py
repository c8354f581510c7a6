"""How a node is deployed: what the files under `deploy/` say, worked out from the contract and the node's settings."""

import ast
import json
import math
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from packaging.specifiers import InvalidSpecifier, SpecifierSet

from ..deciding.deployment import Setting, is_secret, reference, resources
from ..language import names
from ..language.contract import Contract, environment_text
from ..language.deployment import Amounts, Autoscaling, Consul, Service, ServiceMonitor

DEFAULT_CPU_PERCENT = 70
LEAST_ROOM = 3
PRE_STOP_SECONDS = 5
CLOSING_SECONDS = 15
CERTIFICATE_FOLDER = "/etc/node/tls"
EVERY_ADDRESS = "0.0.0.0"  # noqa: S104 - a container's network is its own


@dataclass(frozen=True, slots=True)
class Variable:
    """An environment variable."""

    name: str
    value: str


@dataclass(frozen=True, slots=True)
class Given:
    """An environment variable whose value no file holds: whoever deploys the node gives it.

    Attributes:
        name: The variable.
        key: What it is called in the Secret, or in the environment of compose.
        optional: Whether the node starts without it.
    """

    name: str
    key: str
    optional: bool


@dataclass(frozen=True, slots=True)
class Needs:
    """Settings that the contract leaves to whoever deploys the node.

    Attributes:
        always: Those that the node can't do without.
        named: Those that hold variables which the contract names.
    """

    always: frozenset[str]
    named: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class OfPod:
    """An environment variable that differs from pod to pod.

    Attributes:
        name: The variable.
        field: The pod's field that holds it; empty where there is a value.
        value: Its value, in which Kubernetes fills in earlier variables.
    """

    name: str
    field: str
    value: str


@dataclass(frozen=True, slots=True)
class Backend:
    """A server that compose starts beside the node.

    Attributes:
        image: With its tag.
        data: Where it keeps what has to last.
    """

    image: str
    data: str


@dataclass(frozen=True, slots=True)
class Scaling:
    """The HorizontalPodAutoscaler's numbers; None for a measure that does not count."""

    min_replicas: int
    max_replicas: int
    cpu_percent: int | None
    memory_percent: int | None


@dataclass(frozen=True, slots=True)
class DeployView:
    """What the files under `deploy/` say.

    Attributes:
        name: Of the Kubernetes objects, the compose project and the service in Consul: a DNS label.
        image: With its tag or digest.
        version_label: The node's version as the value of a Kubernetes label.
        namespace: Empty for that of whoever deploys it.
        replicas: Of the Deployment; None when autoscaling decides.
        scaling: None when the number of instances is fixed.
        requests: What an instance is sure to get.
        limits: What an instance gets at most.
        configuration: Settings and further variables that are no secrets.
        unread: Names among them that are no settings of the node.
        given: Variables whose values are in the Secret.
        of_pod: Variables that differ from pod to pod.
        compose: Variables of compose's node, `$` doubled where it is text, with references to its environment.
        passed: Variables that compose passes on when its environment has them.
        needed: Variables without which the node can't do its work, and for which no contract speaks.
        backends: Servers that compose starts, by name.
        folders: Where volumes are mounted, by what is in them.
        stop_seconds: How long the node may take to stop.
        grace_seconds: How long Kubernetes waits for that, the pause before it included.
        service_monitor: None when the Prometheus operator is not asked to scrape.
        tags: The service's tags.
        offered: Whether others reach the node over the network.
        tls: The Secret with the certificate of the service; empty where it speaks plain HTTP.
    """

    name: str
    image: str
    version_label: str
    namespace: str
    replicas: int | None
    scaling: Scaling | None
    requests: Amounts
    limits: Amounts
    configuration: tuple[Variable, ...]
    unread: tuple[str, ...]
    given: tuple[Given, ...]
    of_pod: tuple[OfPod, ...]
    compose: tuple[Variable, ...]
    passed: tuple[str, ...]
    needed: tuple[str, ...]
    backends: Mapping[str, Backend]
    folders: Mapping[str, str]
    stop_seconds: int
    grace_seconds: int
    service_monitor: ServiceMonitor | None
    tags: tuple[str, ...]
    offered: bool
    tls: str

    @property
    def certificate_folder(self) -> str:
        """Where the Secret with the certificate is mounted."""
        return CERTIFICATE_FOLDER

    @property
    def pre_stop_seconds(self) -> int:
        """How long a pod goes on serving after it was told to go, until nobody sends it requests any more."""
        return PRE_STOP_SECONDS

    @property
    def keys(self) -> tuple[tuple[str, bool], ...]:
        """The keys of the Secret, sorted, each with whether it may be left out."""
        optional: dict[str, bool] = {}
        for item in self.given:
            optional[item.key] = item.optional and optional.get(item.key, True)
        return tuple(sorted(optional.items()))

    @property
    def compose_secrets(self) -> tuple[tuple[str, bool], ...]:
        """The variables that compose's environment has to have, sorted, each with whether any password will do."""
        found = (re.findall(r"(?<!\$)\$\{([A-Za-z_][A-Za-z0-9_]*):\?", variable.value) for variable in self.compose)
        own = {f"{backend.upper()}_PASSWORD" for backend in self.backends}
        return tuple((name, name in own) for name in sorted({name for names in found for name in names}))


# By the name of the adapter or feature that needs it; images are those of the projects themselves.
_BACKENDS: Mapping[str, tuple[str, Mapping[str, str]]] = {
    "postgres": ("postgres:{}-alpine", {"18": "/var/lib/postgresql", "": "/var/lib/postgresql/data"}),
    "redis": ("redis:{}-alpine", {"": "/data"}),
    "kafka": ("apache/kafka:{}", {"": "/var/lib/kafka/data"}),
    "consul": ("hashicorp/consul:{}", {"": "/consul/data"}),
}
_RELEASES: Mapping[str, Sequence[str]] = {
    "postgres": ("18", "17", "16", "15", "14"),
    "redis": ("8.2", "7.4", "7.2", "6.2"),
    "kafka": ("4.1.0", "4.0.0", "3.9.1", "3.8.1", "3.7.2"),
    "consul": ("1.21", "1.20", "1.19", "1.18"),
}
_ALIASES: Mapping[str, Sequence[str]] = {"postgres": ("postgres", "postgresql", "database")}
# How the node reaches each of them within compose.
_ADDRESSES: Mapping[str, str] = {
    "postgres": "postgresql://node:${POSTGRES_PASSWORD:?set it in deploy/.env}@postgres:5432/node",
    "redis": "redis://:${REDIS_PASSWORD:?set it in deploy/.env}@redis:6379/0",
    "kafka": "kafka:9092",
    "consul": "http://consul:8500",
}
# Where containers keep what they write: by what it is, the folder that a volume is mounted at, and the place in it.
_FOLDERS: Mapping[str, tuple[str, str]] = {
    "files": ("/var/lib/node/files", "/var/lib/node/files"),
    "outbox": ("/var/lib/node/outbox", "/var/lib/node/outbox/messages"),
}
# Consul's agent runs on each machine of a cluster.
_OF_POD: Mapping[str, Sequence[OfPod]] = {
    "consul": (
        OfPod("HOST_IP", "status.hostIP", ""),
        OfPod("CONSUL_HTTP_ADDR", "", "http://$(HOST_IP):8500"),
        OfPod("CONSUL_SERVICE_ADDRESS", "status.podIP", ""),
    )
}


def service_name(contract: Contract) -> str:
    """Return the node's name in clusters and in Consul: a DNS label."""
    return f"{names.kebab(contract.name)}-{contract.node_type}"


def consul_service(consul: Consul, service: Service, tags: Sequence[str], meta: Mapping[str, str]) -> dict[str, object]:
    """Return a service definition for Consul's agent, for a service that does not register itself.

    Args:
        consul: How the service registers.
        service: Where the service listens, and how; the agent is on the same machine.
        tags: Its tags.
        meta: What else to tell those who look it up.

    Returns:
        The document, in the snake_case of Consul's files.
    """
    address = "127.0.0.1" if service.host in {EVERY_ADDRESS, "::"} else service.host
    scheme = "http" if service.tls is None else "https"
    authority = f"[{address}]" if ":" in address else address
    check = {
        "name": "ready",
        "http": f"{scheme}://{authority}:{service.port}/ready",
        "method": "GET",
        "interval": _duration(consul.check_interval_seconds),
        "timeout": _duration(consul.check_timeout_seconds),
        "deregister_critical_service_after": _duration(consul.deregister_after_seconds),
    }
    entry = {"name": consul.service_name, "tags": list(tags), "port": service.port, "meta": dict(meta), "check": check}
    return {"service": entry}


def _duration(seconds: float) -> str:
    return f"{int(seconds)}s" if seconds == int(seconds) else f"{round(seconds * 1000)}ms"


def deploy_view(
    contract: Contract,
    settings: Sequence[Setting],
    places: Mapping[str, str],
    needs: Needs,
    *,
    has_metrics: bool,
) -> DeployView:
    """Work out what the files under `deploy/` say.

    Args:
        contract: A contract without problems.
        settings: The node's settings.
        places: The settings that say where servers and folders are, by what is there.
        needs: The settings that the contract leaves to whoever deploys the node.
        has_metrics: Whether the service serves metrics.

    Returns:
        The view.
    """
    deployment = contract.deployment
    known = {setting.variable: setting for setting in settings}
    variables = {setting.name: setting.variable for setting in settings}
    env = {name.upper() if name.upper() in known else name: value for name, value in deployment.env.items()}
    fixed = {"SERVICE_HOST": EVERY_ADDRESS, "SERVICE_PORT": str(contract.service.port)}
    folders = {variables[places[what]]: place for what, (_, place) in _FOLDERS.items() if what in places}
    of_pod = [item for what in places for item in _OF_POD.get(what, ()) if item.name not in env]
    elsewhere = {item.name for item in of_pod} | {variables[name] for name in needs.always | needs.named}
    plain = {
        name: _text(value)
        for name, setting in known.items()
        if (value := _default(setting)) is not None and not is_secret(setting) and name not in elsewhere
    }
    referring = {name: reference(value) for name, value in env.items() if reference(value)}
    written = {name: value for name, value in env.items() if name not in referring}
    tls = contract.service.tls
    files = {"CERT": "tls.crt", "KEY": "tls.key"} if tls is not None else {}
    certificate = {f"SERVICE_TLS_{what}_FILE": f"{CERTIFICATE_FOLDER}/{file}" for what, file in files.items()}
    configuration = plain | folders | certificate | written | fixed
    given = _given(known, needs, configuration.keys(), referring)
    folder = names.place(contract).deploy
    addresses = {
        variables[places[what]]: address.replace("deploy/", f"{folder}/")
        for what, address in _ADDRESSES.items()
        if what in places
    }
    if "consul" in places:
        addresses["CONSUL_SERVICE_ADDRESS"] = "node"
    compose = (
        folders
        | {name: value.replace("$", "$$") for name, value in written.items()}
        | {item.name: f"${{{item.key}:?set it in {folder}/.env}}" for item in given if not item.optional}
        | fixed
        | addresses
    )
    drain = math.ceil(float(configuration.get("SERVICE_DRAIN_SECONDS", "0")))
    requests, limits = resources(deployment.requests, deployment.limits)
    scaling = _scaling(deployment.replicas, deployment.autoscaling)
    return DeployView(
        name=service_name(contract),
        image=image_of(contract, contract.deployment.image),
        version_label=re.sub(r"[^0-9A-Za-z.-]", "_", contract.version)[:63].rstrip("._-"),
        namespace=deployment.namespace,
        replicas=None if scaling else _or(deployment.replicas, 1),
        scaling=scaling,
        requests=requests,
        limits=limits,
        configuration=_variables(configuration),
        unread=tuple(sorted((env.keys() | {item.name for item in of_pod}) - known.keys())),
        given=given,
        of_pod=tuple(of_pod),
        compose=_variables(compose),
        passed=tuple(item.name for item in given if item.optional and item.name not in compose),
        needed=tuple(sorted(variables[name] for name in needs.always)),
        backends={backend: _backend(backend, contract) for backend in _BACKENDS if backend in places},
        folders={what: folder for what, (folder, _) in _FOLDERS.items() if what in places},
        stop_seconds=drain + CLOSING_SECONDS,
        grace_seconds=drain + CLOSING_SECONDS + PRE_STOP_SECONDS,
        service_monitor=deployment.service_monitor if has_metrics and contract.service.enabled else None,
        tags=contract.service.tags,
        offered=contract.service.enabled,
        tls="" if tls is None else tls or f"{service_name(contract)}-tls",
    )


def _given(
    known: Mapping[str, Setting], needs: Needs, settled: Collection[str], referring: Mapping[str, str]
) -> tuple[Given, ...]:
    found = [Given(name, key, optional=False) for name, key in referring.items()]
    found += [
        Given(name, name, optional=setting.name not in needs.always)
        for name, setting in known.items()
        if name not in referring
        and name not in settled
        and (is_secret(setting) or setting.name in needs.always | needs.named)
    ]
    return tuple(sorted(found, key=lambda item: item.name))


def _scaling(replicas: int | None, autoscaling: Autoscaling) -> Scaling | None:
    # Kubernetes leaves a Deployment without instances alone, and so does this.
    if not autoscaling.enabled or replicas == 0:
        return None
    low = autoscaling.min_replicas or _or(replicas, 1)
    cpu, memory = autoscaling.cpu_percent, autoscaling.memory_percent
    return Scaling(
        min_replicas=low,
        max_replicas=autoscaling.max_replicas or max(2 * low, LEAST_ROOM),
        cpu_percent=cpu if cpu or memory else DEFAULT_CPU_PERCENT,
        memory_percent=memory,
    )


def _or(value: int | None, otherwise: int) -> int:
    return otherwise if value is None else value


def image_of(contract: Contract, stated: str) -> str:
    """Return an image with its tag or digest, by what is stated of it, which may be nothing."""
    tag = re.sub(r"[^0-9A-Za-z._-]", "_", contract.version)
    image = stated or f"{names.kebab(contract.package)}-{names.kebab(contract.name)}"
    tagged = ":" in image.rpartition("/")[2] or "@" in image
    return image if tagged else f"{image}:{tag}"


def _backend(name: str, contract: Contract) -> Backend:
    image, data = _BACKENDS[name]
    release = next(
        (
            version
            for alias in _ALIASES.get(name, (name,))
            if alias in contract.dependencies
            for version in _releases(name, contract.dependencies[alias])
        ),
        _RELEASES[name][0],
    )
    return Backend(image.format(release), data.get(release, data[""]))


def _releases(name: str, wanted: str) -> list[str]:
    try:
        # The tag of a release follows its patches.
        return [release for release in _RELEASES[name] if SpecifierSet(wanted).contains(f"{release}.999")]
    except InvalidSpecifier:
        return []


def _default(setting: Setting) -> Any:
    try:
        return ast.literal_eval(setting.default)
    except ValueError:
        # Made by a call, which only the node itself can run: its own default does.
        return None


def _text(value: object) -> str:
    return json.dumps(value) if isinstance(value, (list, tuple, dict)) else environment_text(value)  # type: ignore[arg-type]  # a scalar


def _variables(values: Mapping[str, str]) -> tuple[Variable, ...]:
    return tuple(Variable(name, value) for name, value in sorted(values.items()))
