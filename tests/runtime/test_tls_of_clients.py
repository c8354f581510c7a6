"""Servers that speak TLS alone: reached by those who trust them and are known to them, and by nobody else."""

import asyncio
import struct
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from doubles.consul_agent import consul_agent
from doubles.kafka_server import EmbeddedKafka
from doubles.redis_server import embedded_redis
from omnibase_core.enums import EnumCoreErrorCode as Code
from omnibase_core.errors import ModelOnexError
from onex_node_runtime.adapters.adapter_kafka import KafkaMessage
from onex_node_runtime.adapters.kafka_security import security_of
from onex_node_runtime.discovery import DiscoveryFacts, registered
from onex_node_runtime.settings.consul import ConsulSettings
from pydantic import SecretStr

from tests.runtime import building
from tests.runtime.building import Settings
from tests.runtime.tls_proxy import HOST, Files, encrypted


@pytest.fixture(params=[False, True], ids=["shown", "both sides shown"])
def files(request: pytest.FixtureRequest, tmp_path: Path) -> Files:
    return Files(tmp_path, asks=request.param)


def trusting(files: Files, server: str) -> dict[str, Any]:
    return {f"{server}_tls_ca_file": files.ca, f"{server}_tls_cert_file": files.client}


async def test_postgres_by_tls(postgres: str, files: Files, tmp_path_factory: pytest.TempPathFactory) -> None:
    parts = urlsplit(postgres)
    folder = parse_qs(parts.query).get("host", [""])[0]
    server = Path(folder) / ".s.PGSQL.5432" if folder else int(parts.port or 5432)
    async with encrypted(server, files, asked_first=True) as port:
        user = parts.netloc.rpartition("@")[0]
        url = SecretStr(f"postgresql://{user}@{HOST}:{port}{parts.path}")
        adapter = building.postgres(Settings(database_url=url, **trusting(files, "database")))
        assert await adapter.fetch_one("SELECT 1 AS a", idempotent=True)
        await adapter.close()
        other = Files(tmp_path_factory.mktemp("other"))
        stranger = building.postgres(Settings(database_url=url, **trusting(other, "database")))
        with pytest.raises(ModelOnexError) as caught:
            await stranger.fetch_one("SELECT 1 AS a", idempotent=True)
        assert caught.value.error_code is Code.DATABASE_CONNECTION_ERROR
        await stranger.close()


async def test_postgres_that_speaks_no_tls_is_left_alone(tmp_path: Path) -> None:
    asked: list[bytes] = []

    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(await reader.read(8))
        writer.write(b"N")
        # Nothing else comes, least of all a password.
        asked.append(await reader.read(1000))
        writer.close()

    server = await asyncio.start_server(refuse, HOST, 0)
    url = f"postgresql://user:hidden-word@{HOST}:{server.sockets[0].getsockname()[1]}/shop"
    adapter = building.postgres(Settings(database_url=SecretStr(url), **trusting(Files(tmp_path), "database")))
    with pytest.raises(ModelOnexError) as caught:
        await adapter.fetch_one("SELECT 1 AS a")
    assert caught.value.error_code is Code.DATABASE_CONNECTION_ERROR
    assert set(asked) == {b"\x00\x00\x00\x08\x04\xd2\x16\x2f", b""}
    await adapter.close()
    server.close()


async def test_redis_by_tls(files: Files) -> None:
    with embedded_redis() as server:
        async with encrypted(server.port, files) as port:
            url = f"rediss://{HOST}:{port}/0"
            adapter = building.redis(Settings(redis_url=url, **trusting(files, "redis")))
            await adapter.send(["SET", "a", "b"], idempotent=True)
            assert await adapter.send(["GET", "a"], idempotent=True) == "b"
            await adapter.close()
            stranger = building.redis(Settings(redis_url=url))
            with pytest.raises(ModelOnexError) as caught:
                await stranger.send(["GET", "a"], idempotent=True)
            assert caught.value.error_code is Code.NETWORK_ERROR
            await stranger.close()


async def test_redis_in_clear_does_not_pass_for_tls(tmp_path: Path) -> None:
    adapter = building.redis(Settings(redis_url=f"redis://{HOST}:9/0", redis_tls_ca_file=tmp_path / "ca.pem"))
    with pytest.raises(ModelOnexError, match="rediss://") as caught:
        await adapter.send(["GET", "a"], idempotent=True)
    assert caught.value.error_code is Code.INVALID_CONFIGURATION


async def test_kafka_by_tls(broker: EmbeddedKafka, files: Files, tmp_path: Path) -> None:
    host, _, told = broker.servers.rpartition(":")

    def by_proxy(own: int) -> Any:
        # Brokers say where they are; the way by the proxy is said instead.
        before, after = (host.encode() + struct.pack(">i", port) for port in (int(told), own))
        return lambda piece: piece.replace(before, after)

    async with encrypted(int(told), files, change=by_proxy) as port:
        values: dict[str, Any] = {
            "kafka_bootstrap_servers": f"{HOST}:{port}",
            "kafka_security_protocol": "SSL",
            "kafka_publish_timeout_seconds": 20.0,
            "outbox_path": tmp_path / "outbox",
        }
        adapter = building.kafka(Settings(**values, **trusting(files, "kafka")))
        await adapter.publish(KafkaMessage(topic="told", payload={"a": 1}))
        assert ("outbox_messages", 0, {}) in adapter.figures()
        await adapter.close()
        stranger = building.kafka(Settings(**values))
        with pytest.raises(ModelOnexError) as caught:
            await stranger.open()
        assert caught.value.error_code in {Code.NETWORK_ERROR, Code.TIMEOUT}
        await stranger.close()


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({}, {"security_protocol": "PLAINTEXT"}),
        (
            {"kafka_security_protocol": "SASL_PLAINTEXT", "kafka_sasl_mechanism": "PLAIN"},
            {
                "security_protocol": "SASL_PLAINTEXT",
                "sasl_mechanism": "PLAIN",
                "sasl_plain_username": "node",
                "sasl_plain_password": "hidden-word",
            },
        ),
    ],
)
def test_what_clients_of_kafka_are_told(values: dict[str, Any], expected: dict[str, Any]) -> None:
    user: dict[str, Any] = {"kafka_sasl_username": "node", "kafka_sasl_password": SecretStr("hidden-word")}
    settings = Settings(**user, **values)
    assert security_of(settings) == expected
    assert "hidden-word" not in repr(settings)
    assert settings.redact("hidden-word is wrong") == "*** is wrong"


@pytest.mark.parametrize("protocol", ["SSL", "SASL_SSL"])
def test_files_for_kafka_are_those_of_its_settings(protocol: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("onex_node_runtime.adapters.kafka_security.client_context", lambda *files: files)
    files = tuple(Path(name) for name in ("ca.pem", "cert.pem", "key.pem"))
    told = security_of(
        Settings(
            kafka_security_protocol=protocol,
            kafka_tls_ca_file=files[0],
            kafka_tls_cert_file=files[1],
            kafka_tls_key_file=files[2],
            kafka_sasl_username="node",
            kafka_sasl_password=SecretStr("word"),
        )
    )
    assert (told["security_protocol"], told["ssl_context"]) == (protocol, files)
    assert ("sasl_mechanism" in told) is protocol.startswith("SASL")


def test_a_user_and_tls_go_together(tmp_path: Path) -> None:
    files = Files(tmp_path)
    values: dict[str, Any] = {"kafka_security_protocol": "SASL_SSL", **trusting(files, "kafka")}
    with pytest.raises(ModelOnexError, match="KAFKA_SASL_USERNAME is not set"):
        security_of(Settings(**values))
    told = security_of(Settings(**values, kafka_sasl_username="a", kafka_sasl_password=SecretStr("b")))
    assert (told["sasl_mechanism"], told["ssl_context"].check_hostname) == ("SCRAM-SHA-512", True)


@pytest.mark.parametrize("name", ["ca", "cert"])
def test_a_file_that_can_not_be_used_is_told(name: str, tmp_path: Path) -> None:
    values: dict[str, Any] = {"kafka_security_protocol": "SSL", f"kafka_tls_{name}_file": tmp_path / "none.pem"}
    with pytest.raises(ModelOnexError) as caught:
        security_of(Settings(**values))
    assert caught.value.error_code is Code.INVALID_CONFIGURATION


async def test_consul_by_tls(files: Files) -> None:
    with consul_agent("word") as agent:
        async with encrypted(urlsplit(agent.url).port or 0, files) as port:
            values: dict[str, Any] = {
                "consul_http_addr": f"https://{HOST}:{port}",
                "consul_http_token": SecretStr("word"),
                "consul_service_name": "lock",
                "consul_refresh_seconds": 0.05,
            }
            async with registered(ConsulSettings(**values, **trusting(files, "consul")), DiscoveryFacts()):
                async with asyncio.timeout(20):
                    while not agent.services:
                        await asyncio.sleep(0.02)
            assert agent.services == {}
            async with registered(ConsulSettings(**values), DiscoveryFacts()):
                await asyncio.sleep(0.3)
                assert agent.services == {}
