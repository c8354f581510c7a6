# The runtime of copier-onex, the same in every node. Change it in the template, not here.
"""Service discovery: Consul knows the service for as long as it runs."""

import asyncio
import contextlib
import random
import socket
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import quote

import httpx
from omnibase_core.enums import EnumLogLevel
from omnibase_core.logging import emit_log_event_sync

from .adapters.tls import client_context, wanted
from .settings.consul import ConsulSettings

REQUEST_TIMEOUT_SECONDS = 3.0
FIRST_RETRY_SECONDS = 1.0
# Pauses vary by this part of themselves, so that services which an agent forgot at once do not come back at once.
JITTER = 0.1
EVERY_ADDRESS = ("0.0.0.0", "::", "")


@dataclass(frozen=True, slots=True)
class DiscoveryFacts:
    """What others find the service by.

    Attributes:
        tags: Words that others look for.
        meta: Names and values, such as the node's name and version.
    """

    tags: Sequence[str] = ()
    meta: Mapping[str, str] = field(default_factory=dict)


class ConsulRegistration:
    """The service's entry with the agent: made, looked after, and removed.

    Requests and answers are those of Consul's agent API, https://developer.hashicorp.com/consul/api-docs/agent/service.
    """

    def __init__(self, settings: ConsulSettings, facts: DiscoveryFacts, client: httpx.AsyncClient) -> None:
        """Prepare the entry; nothing is sent before `keep`.

        Args:
            settings: Where the agent is, and what it is told.
            facts: What else it is told.
            client: Sends the requests; it belongs to the caller.
        """
        self._settings = settings
        self._facts = facts
        self._client = client
        self._registered = False
        self.address = settings.consul_service_address or settings.service_host
        if self.address in EVERY_ADDRESS:
            self.address = socket.gethostname()
        self.port = settings.consul_service_port or settings.service_port
        # The same after a restart, so that the entry of a process that crashed is replaced.
        self.service_id = f"{settings.consul_service_name}-{socket.gethostname()}-{self.port}"

    def definition(self) -> dict[str, object]:
        """Return what the agent is told about the service."""
        settings = self._settings
        host = f"[{self.address}]" if ":" in self.address else self.address
        scheme = "https" if settings.service_tls_cert_file else "http"
        return {
            "ID": self.service_id,
            "Name": settings.consul_service_name,
            "Tags": list(self._facts.tags),
            "Address": self.address,
            "Port": self.port,
            "Meta": dict(self._facts.meta),
            "Check": {
                "Name": "ready",
                "HTTP": f"{scheme}://{host}:{self.port}/ready",
                "Method": "GET",
                "Interval": _duration(settings.consul_check_interval_seconds),
                "Timeout": _duration(settings.consul_check_timeout_seconds),
                "DeregisterCriticalServiceAfter": _duration(settings.consul_deregister_after_seconds),
            },
        }

    async def keep(self) -> None:
        """Register, and do so again whenever the agent has forgotten the service; ends only when it is cancelled."""
        failures = 0
        while True:
            try:
                await self._refresh()
            except Exception as error:
                # Whatever is wrong with Consul, or with what it is called, the service goes on.
                failures += 1
                pause = min(FIRST_RETRY_SECONDS * 2 ** min(failures - 1, 16), self._settings.consul_refresh_seconds)
                if failures == 1:
                    self._log(EnumLogLevel.WARNING, "consul_unavailable", error)
            else:
                failures = 0
                pause = self._settings.consul_refresh_seconds
            await asyncio.sleep(pause * random.uniform(1 - JITTER, 1 + JITTER))  # noqa: S311 - no secret

    async def end(self) -> None:
        """Remove the entry; an agent that does not answer does so itself once the checks have failed for long."""
        try:
            answer = await self._send("PUT", "deregister")
            if answer.status_code != httpx.codes.NOT_FOUND:
                answer.raise_for_status()
        except Exception as error:
            self._log(EnumLogLevel.WARNING, "consul_deregistration_failed", error)
        else:
            self._log(EnumLogLevel.INFO, "consul_deregistered")

    async def _refresh(self) -> None:
        # The first time, an entry that is there already may be that of a process with other settings.
        if self._registered:
            answer = await self._send("GET")
            if answer.status_code != httpx.codes.NOT_FOUND:
                answer.raise_for_status()
                return
        (await self._send("PUT", "register", self.definition())).raise_for_status()
        self._registered = True
        self._log(EnumLogLevel.INFO, "consul_registered")

    async def _send(self, method: str, action: str = "", body: dict[str, object] | None = None) -> httpx.Response:
        parts = (action, "" if action == "register" else quote(self.service_id, safe=""))
        path = "/".join(part for part in parts if part)
        query = "?replace-existing-checks=true" if action == "register" else ""
        token = self._settings.consul_http_token
        return await self._client.request(
            method,
            f"{self._settings.consul_http_addr.rstrip('/')}/v1/agent/service/{path}{query}",
            json=body,
            headers={"X-Consul-Token": token.get_secret_value()} if token and token.get_secret_value() else {},
        )

    def _log(self, level: EnumLogLevel, event: str, error: Exception | None = None) -> None:
        context = {"service_id": self.service_id, "error": type(error).__name__ if error else None}
        if isinstance(error, httpx.HTTPStatusError):
            context["status"] = str(error.response.status_code)
        emit_log_event_sync(level, event, context)


@contextlib.asynccontextmanager
async def registered(settings: ConsulSettings, facts: DiscoveryFacts) -> AsyncIterator[None]:
    """Keep the service registered for as long as the context lasts, whatever becomes of Consul meanwhile.

    Args:
        settings: The node's settings; without a port, nothing is registered.
        facts: What others find the service by.
    """
    if not settings.consul_register or not (settings.consul_service_port or settings.service_port):
        # A service on a port that is free by chance does not know it yet.
        yield
        return
    # The agent is near, whatever proxy the environment names for others.
    direct: dict[str, None] = {"http://": None, "https://": None}
    files = (settings.consul_tls_ca_file, settings.consul_tls_cert_file, settings.consul_tls_key_file)
    verify = client_context(*files) if wanted(*files) else True
    async with httpx.AsyncClient(timeout=REQUEST_TIMEOUT_SECONDS, mounts=direct, verify=verify) as client:
        registration = ConsulRegistration(settings, facts, client)
        task = asyncio.create_task(registration.keep())
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            await registration.end()


def _duration(seconds: float) -> str:
    return f"{seconds:.3f}s"
