# Copied from copier-onex as it is, the same in every node. Change it in the template, not here.
"""Kafka for tests and for `make run`: the brokers that KAFKA_BOOTSTRAP_SERVERS names, or librdkafka's mock cluster."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from confluent_kafka import Producer


class EmbeddedKafka:
    """A broker in a process of its own, so that it can be stopped for a while."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, str(Path(__file__))],
            stdout=subprocess.PIPE,
            stdin=subprocess.PIPE,
            text=True,
            start_new_session=True,  # Ctrl-C is for the service, which still needs it to end in order
        )
        assert self._process.stdout is not None
        self.servers = self._process.stdout.readline().strip()

    def pause(self) -> None:
        """Let it fall silent, as behind a broken network."""
        self._process.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        """Let it answer again, with what it had."""
        self._process.send_signal(signal.SIGCONT)

    def remove(self) -> None:
        """End it."""
        self.go_on()
        self._process.kill()
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                stream.close()


@contextmanager
def embedded_kafka() -> Iterator[EmbeddedKafka]:
    """Run a broker for as long as the context lasts."""
    broker = EmbeddedKafka()
    try:
        yield broker
    finally:
        broker.remove()


@contextmanager
def kafka_servers() -> Iterator[str]:
    """Give the brokers of KAFKA_BOOTSTRAP_SERVERS, or an embedded one."""
    if servers := os.environ.get("KAFKA_BOOTSTRAP_SERVERS"):
        yield servers
        return
    with embedded_kafka() as broker:
        yield broker.servers


def _serve() -> None:
    # The cluster lives as long as the client that it belongs to, and this process as long as its parent.
    client = Producer({"bootstrap.servers": "mock", "test.mock.num.brokers": 1, "log_level": 0})
    brokers = client.list_topics(timeout=120).brokers.values()
    print(",".join(f"{broker.host}:{broker.port}" for broker in brokers), flush=True)  # noqa: T201 - for the parent
    sys.stdin.read()


if __name__ == "__main__":
    _serve()
