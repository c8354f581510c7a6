# The runtime of copier-onex, the same in every node. Change it in the template, not here.
"""Where Consul's agent is, and what it is told about the service."""

from pydantic import Field

from .service import ListenerSettings
from .types import KnownPort, PathOrNone, Patience, Seconds, SecretOrNone


class ConsulSettings(ListenerSettings):
    """Where Consul's agent is, and what it is told about the service."""

    consul_register: bool = Field(default=True, description="Register with Consul while the service runs.")
    consul_http_addr: str = Field(default="http://127.0.0.1:8500", description="URL of Consul's agent.")
    consul_http_token: SecretOrNone = Field(default=None, description="Token for Consul's agent.")
    consul_service_name: str = Field(default="", description="The service's name in Consul.")
    consul_service_address: str | None = Field(
        default=None,
        description="Address at which others reach the service; when unset, SERVICE_HOST, or else the host's name.",
    )
    consul_service_port: KnownPort | None = Field(
        default=None, description="Port of that address; when unset, SERVICE_PORT."
    )
    consul_check_interval_seconds: Seconds = Field(default=10.0, description="Between two checks by the agent.")
    consul_check_timeout_seconds: Seconds = Field(default=5.0, description="Longest wait of a check.")
    consul_deregister_after_seconds: Patience = Field(
        default=600.0, description="The agent forgets a service that fails its checks for so long."
    )
    consul_refresh_seconds: Seconds = Field(default=30.0, description="Between two looks whether the agent knows it.")
    consul_tls_ca_file: PathOrNone = Field(
        default=None,
        description="Certificates that Consul's agent is trusted by, as PEM; when unset, those of the system.",
    )
    consul_tls_cert_file: PathOrNone = Field(
        default=None, description="Certificate that the node shows to Consul's agent, as PEM."
    )
    consul_tls_key_file: PathOrNone = Field(
        default=None, description="Key of that certificate; when unset, it is in the same file."
    )
