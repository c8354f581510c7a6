"""How a node runs as a service, as typed values."""

from collections.abc import Mapping
from dataclasses import dataclass

from .callers import Auth

DEFAULT_PORT = 8000
DEFAULT_HOST = "127.0.0.1"
DEFAULT_SCRAPE_SECONDS = 30


@dataclass(frozen=True, slots=True)
class Consul:
    """How the service registers with Consul; an empty name is the node's own."""

    url: str = "http://127.0.0.1:8500"
    service_name: str = ""
    check_interval_seconds: float = 10
    check_timeout_seconds: float = 5
    deregister_after_seconds: float = 600
    refresh_seconds: float = 30


@dataclass(frozen=True, slots=True)
class Service:
    """How the node runs as a service.

    Attributes:
        openapi: Whether it tells tools of its interface.
        asyncapi: Whether it tells tools of what it publishes and consumes.
        docs: Whether it has a page of it for people.
        auth: How callers say who they are; None where nobody asks them.
        tls: The Secret with the certificate that it shows where it is deployed, empty for the one that is named after
            the node; None for plain HTTP.
    """

    port: int
    host: str
    tags: tuple[str, ...]
    enabled: bool
    openapi: bool = True
    asyncapi: bool = True
    docs: bool = True
    auth: Auth | None = None
    tls: str | None = None


@dataclass(frozen=True, slots=True)
class Amounts:
    """Cores and bytes as Kubernetes writes them; empty where the contract does not say."""

    cpu: str = ""
    memory: str = ""


@dataclass(frozen=True, slots=True)
class Autoscaling:
    """How many instances there are at least and at most, and by how full they are; None where not said."""

    enabled: bool = True
    min_replicas: int | None = None
    max_replicas: int | None = None
    cpu_percent: int | None = None
    memory_percent: int | None = None


@dataclass(frozen=True, slots=True)
class ServiceMonitor:
    """How the Prometheus operator scrapes the node."""

    interval_seconds: int
    labels: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class NetworkPolicy:
    """What the node reaches over the network, beside what the contract says that it talks to: further ports."""

    egress_ports: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Environment:
    """Where the node is deployed; what is empty or None there is as the deployment says else.

    Attributes:
        name: A DNS label.
        namespace: Of Kubernetes.
        image: The container image.
        replicas: Instances; under autoscaling the fewest.
        env: Environment variables as text.
    """

    name: str
    namespace: str
    image: str
    replicas: int | None
    env: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Deployment:
    """How the node is deployed.

    Attributes:
        replicas: Instances; None where the contract does not say.
        requests: What an instance is sure to get.
        limits: What an instance gets at most.
        image: The container image; empty where the contract does not say.
        namespace: Of Kubernetes; empty for that of whoever deploys it.
        env: Environment variables as text.
        autoscaling: How the number of instances follows the load.
        service_monitor: None when the Prometheus operator is not asked to scrape.
        network_policy: None when nothing limits what it reaches.
        environments: Where it is deployed, sorted by name.
    """

    replicas: int | None
    requests: Amounts
    limits: Amounts
    image: str
    namespace: str
    env: Mapping[str, str]
    autoscaling: Autoscaling
    service_monitor: ServiceMonitor | None
    network_policy: NetworkPolicy | None = NetworkPolicy()
    environments: tuple[Environment, ...] = ()
