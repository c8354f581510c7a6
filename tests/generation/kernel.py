"""ONEX's kernel as a process: an environment of its own, generated nodes in it, and commands and answers on Kafka."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.machinery import ModuleSpec, SourceFileLoader
from importlib.metadata import distributions
from importlib.util import module_from_spec
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

from confluent_kafka import Consumer, Producer, TopicPartition
from omnibase_core.models.events.model_event_envelope import ModelEventEnvelope

from examples.rendering import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

REQUIREMENTS = Path(__file__).with_name("kernel-requirements.txt")
UV = ROOT / ".venv" / "bin" / "uv"
PATIENCE_SECONDS = 90.0
OK = 200


def environment() -> Path:
    """Return an environment with the kernel and what generated nodes import; it is built once per set of pins."""
    digest = hashlib.sha256(REQUIREMENTS.read_bytes() + sys.version.encode()).hexdigest()[:12]
    folder = ROOT / ".venv" / "kernel" / digest
    complete = folder / "complete"
    if not complete.exists():
        shutil.rmtree(folder.parent, ignore_errors=True)
        subprocess.run([UV, "venv", "--quiet", "--python", sys.executable, folder], check=True)
        options = ("--quiet", "--system-certs", "--require-hashes", "--compile-bytecode", "--python", folder)
        subprocess.run([UV, "pip", "sync", *options, REQUIREMENTS], check=True)
        complete.touch()
    return folder


def install(projects: Sequence[Path], folder: Path) -> Path:
    """Install generated projects, with their entry points, into a folder for PYTHONPATH."""
    options = ("--quiet", "--no-deps", "--no-build-isolation", "--python", sys.executable, "--target", folder)
    subprocess.run([UV, "pip", "install", *options, *projects], check=True)
    return folder


def packages(site: Path) -> list[str]:
    """Return the names of what `install` installed."""
    return sorted(found.name for found in distributions(path=[str(site)]))


def servers_of_projects(name: str) -> ModuleType:
    """Return a module that generated projects start a server with, such as `kafka_server`."""
    path = ROOT / "runtime" / "doubles" / f"{name}.py"
    loader = SourceFileLoader(name, str(path))
    module = module_from_spec(ModuleSpec(name, loader, origin=str(path)))
    module.__file__ = str(path)
    loader.exec_module(module)
    return module


def free_port() -> int:
    """Return a port that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@dataclass(frozen=True, slots=True)
class Command:
    """A request to a node.

    Attributes:
        node: Package and name of the node, as topics have them.
        operation: Its operation.
        payload: The operation's input.
    """

    node: str
    operation: str
    payload: Mapping[str, object]

    @property
    def topic(self) -> str:
        """Where the node takes it."""
        return f"onex.cmd.{self.node}-requested.v1"

    @property
    def terminal_topic(self) -> str:
        """Where the kernel publishes the answer."""
        return f"onex.evt.{self.node}-completed.v1"


class Bus:
    """A client of the brokers."""

    def __init__(self, servers: str) -> None:
        """Connect."""
        self._producer = Producer({"bootstrap.servers": servers, "log_level": 0})
        self._consumer = Consumer({"bootstrap.servers": servers, "group.id": "test", "log_level": 0})

    def ask(self, *commands: Command) -> list[dict[str, Any]]:
        """Send commands at once, and return the payloads of their terminal events in the same order.

        Raises:
            TimeoutError: When one has none within `PATIENCE_SECONDS`.
        """
        sent = {uuid4(): command for command in commands}
        self.watch(*{command.terminal_topic for command in commands})
        for correlation_id, command in sent.items():
            self._send(command, correlation_id)
        self._producer.flush()
        answers: dict[UUID, dict[str, Any]] = {}
        for topic, envelope in self.events():
            correlation_id = UUID(envelope["correlation_id"])
            if correlation_id in sent and topic == sent[correlation_id].terminal_topic:
                assert correlation_id not in answers, f"{sent[correlation_id]} was answered twice"
                answers[correlation_id] = envelope["payload"]
            if len(answers) == len(sent):
                return [answers[correlation_id] for correlation_id in sent]
        waiting = [command.topic for correlation_id, command in sent.items() if correlation_id not in answers]
        raise TimeoutError(f"no answer to {waiting}")

    def watch(self, *topics: str) -> None:
        """Read topics from their beginning; a topic comes into being when it is asked for."""
        partitions: list[TopicPartition] = []
        for topic in topics:
            metadata = self._producer.list_topics(topic, timeout=PATIENCE_SECONDS).topics[topic]
            partitions += [TopicPartition(topic, number, 0) for number in metadata.partitions]
        self._consumer.assign(partitions)

    def events(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Yield what comes on the topics, with each topic, until nothing has come for `PATIENCE_SECONDS`."""
        while (message := self._consumer.poll(PATIENCE_SECONDS)) is not None:
            value, topic = message.value(), message.topic()
            if message.error() is None and value is not None and topic is not None:
                yield topic, json.loads(value)

    def close(self) -> None:
        """Disconnect."""
        self._consumer.close()

    def _send(self, command: Command, correlation_id: UUID) -> None:
        payload = {"operation": command.operation, "payload": command.payload, "correlation_id": str(correlation_id)}
        envelope = ModelEventEnvelope[dict[str, Any]](
            payload=payload, correlation_id=correlation_id, source_tool="test", event_type=command.topic
        )
        self._producer.produce(command.topic, envelope.model_dump_json())


class Kernel:
    """`onex-runtime` with generated nodes."""

    def __init__(self, site: Path, folder: Path, settings: Mapping[str, str]) -> None:
        """Keep what it is started with.

        Args:
            site: What `install` returned.
            folder: Where it runs and logs.
            settings: Environment variables: those of the brokers, and those of the nodes.
        """
        self._environment = environment()
        self._folder = folder
        self._log = folder / "kernel.log"
        self._port = free_port()
        self._settings = {
            "PATH": f"{self._environment / 'bin'}{os.pathsep}{os.defpath}",
            "HOME": str(folder),
            "PYTHONPATH": str(site),
            # The kernel takes nodes of this profile, of these packages, and brokers on these hosts.
            "RUNTIME_PROFILE": "main",
            "ONEX_ACTIVE_RUNTIME_PACKAGES": ",".join(packages(site)),
            "KAFKA_BROKER_ALLOWLIST": "127.0.0.1",
            "ONEX_CONTRACTS_DIR": "contracts",
            "ONEX_HTTP_PORT": str(self._port),
            **settings,
        }

    @contextmanager
    def running(self) -> Iterator[Kernel]:
        """Run it for as long as the context lasts, from when it is ready."""
        configuration = self._folder / "contracts" / "runtime" / "runtime_config.yaml"
        configuration.parent.mkdir(parents=True)
        configuration.write_text(
            'name: test\ncontract_version: "1.0.0"\nevent_bus: {type: kafka, environment: local}\n', encoding="utf-8"
        )
        # omnibase-infra 0.38 looks for contracts of its own below ./src, as in a checkout of it.
        (own,) = self._environment.glob("lib/*/site-packages/omnibase_infra")
        (self._folder / "src").mkdir()
        (self._folder / "src" / "omnibase_infra").symlink_to(own)
        with self._log.open("wb") as log:
            process = subprocess.Popen(
                ["onex-runtime"],
                executable=self._environment / "bin" / "onex-runtime",
                cwd=self._folder,
                env=self._settings,
                stdout=log,
                stderr=log,
            )
        try:
            self._wait(process)
            yield self
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(PATIENCE_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    @property
    def log(self) -> str:
        """What it has logged so far."""
        return self._log.read_text(encoding="utf-8")

    def _wait(self, process: subprocess.Popen[bytes]) -> None:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while process.poll() is None and time.monotonic() < deadline:
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{self._port}/ready", timeout=5) as answer:
                    if answer.status == OK:
                        return
            except (urllib.error.URLError, OSError):
                time.sleep(0.2)
        raise RuntimeError(f"the kernel did not start:\n{self.log[-5000:]}")
