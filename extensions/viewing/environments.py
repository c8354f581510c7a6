"""Where a node is deployed: what differs there, and what it reaches."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from ..language.deployment import Environment
from .deploy import LEAST_ROOM, Variable, image_of

if TYPE_CHECKING:
    from .node import NodeView

# Where servers listen of which the contract does not say where they are.
_PORTS: Final[Mapping[str, tuple[int, ...]]] = {
    "postgres": (5432,),
    "redis": (6379,),
    "kafka": (9092,),
    "consul": (8500,),
    "http": (80, 443),
    "tracing": (4318,),
    "keys of callers": (443,),
}
_OF_SCHEMES: Final[Mapping[str, int]] = {"http": 80, "https": 443, "redis": 6379, "rediss": 6379, "postgresql": 5432}


@dataclass(frozen=True, slots=True)
class ImageView:
    """Another image than that of the base: its name there, and its name, tag and digest here; empty for none."""

    base: str
    name: str
    tag: str
    digest: str


@dataclass(frozen=True, slots=True)
class EnvironmentView:
    """What differs in an environment.

    Attributes:
        name: Of it, a DNS label.
        namespace: Of Kubernetes; empty for that of the base.
        image: None for that of the base.
        replicas: Of the Deployment; None for that of the base, or where autoscaling decides.
        scaling: Fewest and most instances; None for those of the base.
        configuration: The settings with other values.
        settled: Variables with values, which elsewhere come from a Secret or the pod.
        checksum: Of all settings there.
    """

    name: str
    namespace: str
    image: ImageView | None
    replicas: int | None
    scaling: tuple[int, int] | None
    configuration: tuple[Variable, ...]
    settled: tuple[Variable, ...]
    checksum: str


def checksum(configuration: Mapping[str, str]) -> str:
    """Return a digest of settings: pods that have another one are replaced."""
    return hashlib.sha256(json.dumps(configuration, sort_keys=True).encode()).hexdigest()


def environments(node: "NodeView") -> tuple[EnvironmentView, ...]:
    """Return where the node is deployed.

    Args:
        node: The view of the contract.
    """
    return tuple(_environment(node, environment) for environment in node.contract.deployment.environments)


def _environment(node: "NodeView", environment: Environment) -> EnvironmentView:
    deploy = node.deploy
    known = {setting.variable for setting in node.setting_fields}
    env = {name.upper() if name.upper() in known else name: value for name, value in environment.env.items()}
    elsewhere = {item.name for item in deploy.given} | {item.name for item in deploy.of_pod}
    base = {variable.name: variable.value for variable in deploy.configuration}
    variables = [Variable(name, value) for name, value in sorted(env.items())]
    replicas = environment.replicas
    scaling = None
    if deploy.scaling and replicas:
        scaling = replicas, max(deploy.scaling.max_replicas, 2 * replicas, LEAST_ROOM)
    image = image_of(node.contract, environment.image) if environment.image else ""
    return EnvironmentView(
        name=environment.name,
        namespace=environment.namespace,
        image=_image(deploy.image, image) if image and image != deploy.image else None,
        replicas=None if scaling else replicas,
        scaling=scaling,
        configuration=tuple(variable for variable in variables if variable.name not in elsewhere),
        settled=tuple(variable for variable in variables if variable.name in elsewhere),
        checksum=checksum(base | {name: value for name, value in env.items() if name not in elsewhere}),
    )


def _image(base: str, image: str) -> ImageView:
    (base_name, _, _), (name, tag, digest) = _parts(base), _parts(image)
    return ImageView(base_name, name, "" if digest else tag, digest)


def _parts(image: str) -> tuple[str, str, str]:
    """Return the name, tag and digest of an image; a `:` before the last `/` is that of a port."""
    tagged, _, digest = image.partition("@")
    folder, slash, last = tagged.rpartition("/")
    name, _, tag = last.partition(":")
    return f"{folder}{slash}{name}", tag, digest


def egress(node: "NodeView") -> tuple[int, ...]:
    """Return the ports that the node reaches, sorted; none where nobody can know.

    Args:
        node: The view of the contract.
    """
    policy = node.contract.deployment.network_policy
    stated = policy.egress_ports if policy else ()
    # What is written by hand may talk to anything.
    if node.custom_operations and not stated:
        return ()
    return tuple(sorted({*stated, *_reached(node)}))


def _reached(node: "NodeView") -> Iterator[int]:
    # Those that are secret have a default all the same, where the contract says one.
    known = {setting.variable: {node.readme.default(setting)} for setting in node.setting_fields}
    known |= {variable.name: {variable.value} for variable in node.deploy.configuration}
    for environment in node.environments:
        for variable in (*environment.configuration, *environment.settled):
            known.setdefault(variable.name, set()).add(variable.value)
    places = [(setting, what) for what, setting in node.places.items() if what in _PORTS]
    places += [(api.base_url.setting, "http") for api in node.apis]
    if node.auth and node.auth.bearer:
        places.append(("service_auth_jwks_url", "keys of callers"))
    if node.tracing:
        places.append((node.tracing.endpoint.setting, "tracing"))
    for setting, what in places:
        values = known.get(node.variable(setting), set())
        found = {port for value in values for port in _ports(value)}
        yield from found or _PORTS[what]


def _ports(addresses: str) -> Iterator[int]:
    for address in addresses.split(","):
        parts = urlsplit(address if "//" in address else f"//{address}")
        try:
            port = parts.port or _OF_SCHEMES.get(parts.scheme)
        except ValueError:
            port = None
        if port:
            yield port
