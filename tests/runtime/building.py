"""Adapters as nodes build them, with settings that tests set."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from aiokafka import AIOKafkaConsumer, ConsumerRecord
from onex_node_runtime.adapters.adapter_files import AdapterFiles
from onex_node_runtime.adapters.adapter_http import AdapterHttp, HttpLimits
from onex_node_runtime.adapters.adapter_kafka import AdapterKafka
from onex_node_runtime.adapters.adapter_postgres import AdapterPostgres
from onex_node_runtime.adapters.adapter_redis import AdapterRedis
from onex_node_runtime.adapters.circuit_breaker import CircuitBreaker
from onex_node_runtime.adapters.guard import Guard
from onex_node_runtime.adapters.retry_policy import RetryPolicy
from onex_node_runtime.settings.circuit_breaker import CircuitBreakerSettings
from onex_node_runtime.settings.database import DatabaseSettings
from onex_node_runtime.settings.files import FileSettings
from onex_node_runtime.settings.http import HttpSettings
from onex_node_runtime.settings.kafka import KafkaSettings
from onex_node_runtime.settings.redis import RedisSettings
from onex_node_runtime.settings.retry import RetrySettings
from pydantic import SecretStr

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

NODE = "node_lock_effect"
RETRY_STATUS = frozenset({429, 502, 503, 504})


class Settings(
    DatabaseSettings,
    HttpSettings,
    RedisSettings,
    KafkaSettings,
    FileSettings,
    RetrySettings,
    CircuitBreakerSettings,
):
    """Settings of a node that talks to everything."""

    database_url: SecretStr | None = SecretStr("postgresql://user:hidden-word@db.example.org/shop")
    api_key: SecretStr | None = SecretStr("hidden-word")
    http_base_url: str = ""
    redis_url: str = ""
    kafka_bootstrap_servers: str = ""
    files_root: str = ""
    health_check_timeout_seconds: float = 2.0
    retry_max_attempts: int = 3
    retry_initial_delay_seconds: float = 0.001
    retry_max_delay_seconds: float = 0.002
    circuit_breaker_failure_threshold: int = 3
    circuit_breaker_recovery_seconds: float = 60.0


def guard(name: str, settings: Settings) -> Guard:
    return Guard(RetryPolicy.of(settings), CircuitBreaker.of(name, settings))


def postgres(
    settings: Settings,
    isolation: Literal["", "serializable"] = "serializable",
    **others: Any,
) -> AdapterPostgres:
    return AdapterPostgres(
        settings,
        node=NODE,
        guard=guard("postgres", settings),
        check_seconds=settings.health_check_timeout_seconds,
        isolation=isolation,
        **others,
    )


def http(settings: Settings, health_path: str = "/health") -> AdapterHttp:
    return AdapterHttp(
        settings,
        limits=HttpLimits(
            timeout_seconds=settings.http_timeout_seconds,
            max_connections=settings.http_max_connections,
            max_answer_bytes=settings.http_max_answer_bytes,
        ),
        base_url=lambda: settings.require("http_base_url"),
        headers=lambda: {"Authorization": f"Bearer {settings.require('api_key')}"},
        guard=guard("http", settings),
        check_seconds=settings.health_check_timeout_seconds,
        health_path=health_path,
        retry_status=RETRY_STATUS,
    )


def redis(settings: Settings) -> AdapterRedis:
    return AdapterRedis(
        settings,
        url=lambda: settings.require("redis_url"),
        guard=guard("redis", settings),
        check_seconds=settings.health_check_timeout_seconds,
    )


def kafka(settings: Settings) -> AdapterKafka:
    return AdapterKafka(
        settings,
        node=NODE,
        servers=lambda: settings.require("kafka_bootstrap_servers"),
        check_seconds=settings.health_check_timeout_seconds,
    )


def files(settings: Settings) -> AdapterFiles:
    return AdapterFiles(
        settings,
        root=lambda: Path(settings.require("files_root")),
        check_seconds=settings.health_check_timeout_seconds,
    )


def kafka_settings(servers: str, folder: Path, **others: Any) -> Settings:
    return Settings(
        kafka_bootstrap_servers=servers,
        outbox_path=folder / "outbox",
        kafka_publish_timeout_seconds=1,
        health_check_timeout_seconds=5,
        **others,
    )


async def messages_of(servers: str, topic: str, count: int) -> list[ConsumerRecord]:
    """Read messages from the beginning of a topic."""
    consumer = AIOKafkaConsumer(topic, bootstrap_servers=servers, auto_offset_reset="earliest")
    found: list[ConsumerRecord] = []
    async with asyncio.timeout(30):
        await consumer.start()
        while len(found) < count:
            for records in (await consumer.getmany(timeout_ms=200)).values():
                found += records
    await consumer.stop()
    return found


@asynccontextmanager
async def two_postgres(url: str, made: str) -> AsyncIterator[list[AdapterPostgres]]:
    """Two adapters, as two processes would have them, once the statements of `made` have run."""
    adapters = [postgres(Settings(database_url=SecretStr(url))) for _ in range(2)]
    for statement in made.split(";"):
        await adapters[0].execute(statement)
    yield adapters
    for adapter in adapters:
        await adapter.close()


@asynccontextmanager
async def two_redis(url: str) -> AsyncIterator[list[AdapterRedis]]:
    """Two adapters, as two processes would have them."""
    adapters = [redis(Settings(redis_url=url)) for _ in range(2)]
    yield adapters
    for adapter in adapters:
        await adapter.close()
