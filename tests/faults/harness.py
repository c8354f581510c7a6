"""Generated nodes as processes of their own, asked over HTTP while what they depend on goes away and comes back.

Nothing here measures time: answers and states are counted, and every wait ends with an error after `PATIENCE_SECONDS`.
"""

from __future__ import annotations

import asyncio
import importlib
import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections import Counter
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, Self

import httpx

from examples.rendering import CONTRACTS, export_template, generate, read_contract

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping

PATIENCE_SECONDS = 60.0
PAUSE_SECONDS = 0.05
OK = 200
UNAVAILABLE = 503
UNANSWERED = "unanswered"
# Words that only the inside of a process knows.
INTERNALS = ("Traceback", "asyncpg", "aiokafka", "redis.", "httpx", "site-packages", "127.0.0.1", "/tmp")  # noqa: S108


@dataclass(frozen=True, slots=True)
class Scale:
    """How much a fault run does.

    Attributes:
        seconds: How long a dependency stays away, at least.
        workers: Callers side by side.
        messages: Events or messages of one run.
        crowd: Requests at once.
    """

    seconds: float = 1.0
    workers: int = 6
    messages: int = 60
    crowd: int = 1000


@dataclass
class Figures:
    """What a run counted.

    Attributes:
        name: The run, as a heading.
        answers: How many answers there were of each kind, such as `200` or `503 ONEX_CORE_081_…`.
        facts: Anything else, by name.
        leaks: Words of the inside that an answer showed.
    """

    name: str
    answers: Counter[str] = field(default_factory=Counter)
    facts: dict[str, int | str] = field(default_factory=dict)
    leaks: set[str] = field(default_factory=set)

    def statuses(self) -> set[str]:
        """Return the status codes that were answered, `unanswered` among them where a call got none."""
        return {kind.split(" ")[0] for kind in self.answers}


class Process:
    """The service process of a generated node."""

    def __init__(self, project: Path, folder: Path, environment: Mapping[str, str]) -> None:
        """Keep what the process is started with.

        Args:
            project: The generated project.
            folder: Where it runs and logs.
            environment: Its settings.
        """
        self.package = next(project.glob("src/*/nodes/*/__main__.py")).parent
        self._module = ".".join(self.package.relative_to(project / "src").parts)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ}
        self._environment = kept | {
            "PYTHONPATH": str(project / "src"),
            "SERVICE_PORT": str(port),
            "SERVICE_DRAIN_SECONDS": "2",
            "CONSUL_REGISTER": "false",
            **environment,
        }
        self._folder = folder
        self.log = folder / "service.log"
        self._process: subprocess.Popen[bytes] | None = None
        # The service closes connections that are idle for five seconds, maybe just when the next request is sent.
        limits = httpx.Limits(max_connections=None, keepalive_expiry=1)
        self.client = httpx.AsyncClient(
            base_url=f"http://127.0.0.1:{port}", timeout=PATIENCE_SECONDS, limits=limits, trust_env=False
        )

    async def start(self) -> Self:
        """Start the process, and wait until it is alive."""
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(  # noqa: ASYNC220 - it only forks
                [sys.executable, "-m", self._module], cwd=self._folder, env=self._environment, stdout=log, stderr=log
            )
        await until(self.alive)
        return self

    async def stop(self) -> None:
        """Let the process end in order."""
        await self._end(signal.SIGTERM)

    async def kill(self) -> None:
        """End the process at once."""
        await self._end(signal.SIGKILL)

    def terminate(self) -> None:
        """Tell the process to end, and wait for nothing."""
        assert self._process is not None
        self._process.send_signal(signal.SIGTERM)

    async def ended(self) -> int:
        """Wait until the process has ended.

        Returns:
            Its exit status, negative for the signal that ended it.
        """
        process, self._process = self._process, None
        assert process is not None
        try:
            return await asyncio.wait_for(asyncio.to_thread(process.wait), PATIENCE_SECONDS)
        except TimeoutError:
            process.kill()
            raise

    async def _end(self, signal_number: signal.Signals) -> None:
        if self._process is not None:
            self._process.send_signal(signal_number)
            await self.ended()

    @property
    def id(self) -> int:
        """The id of the process."""
        assert self._process is not None
        return self._process.pid

    @property
    def resident_kib(self) -> int:
        """Memory that the process and all that it started have had at most, in KiB; Linux counts it."""
        return sum(map(_most_kib, _family(self.id)))

    async def alive(self) -> bool:
        """Tell whether /health answers."""
        assert self._process is not None
        assert self._process.poll() is None, self.log.read_text(encoding="utf-8")[-3000:]
        with suppress(httpx.TransportError):
            return (await self.client.get("/health")).status_code == OK
        return False

    async def ready(self) -> bool:
        """Tell whether /ready answers that all is well; 503 is the only other answer."""
        status = (await self.client.get("/ready")).status_code
        assert status in {OK, UNAVAILABLE}, status
        return status == OK

    async def unready(self) -> bool:
        """Tell whether /ready answers that something is missing."""
        return not await self.ready()

    async def metric(self, name: str) -> float:
        """Return the sum of a metric over its labels."""
        lines = (await self.client.get("/metrics")).text.splitlines()
        return sum(float(line.rsplit(" ", 1)[1]) for line in lines if line.startswith((name + "{", name + " ")))

    async def call(self, operation: str, payload: Mapping[str, object], figures: Figures) -> int:
        """Call an operation, and count its answer.

        Returns:
            The status, or 0 when there was no answer.
        """
        try:
            response = await self.client.post(f"/operations/{operation}", json=payload)
        except httpx.TransportError:
            figures.answers[UNANSWERED] += 1
            return 0
        kind = str(response.status_code)
        if response.status_code != OK:
            assert response.headers["content-type"] == "application/problem+json", response.text
            kind = f"{kind} {response.json().get('code', '')}".strip()
            figures.leaks.update(word for word in INTERNALS if word in response.text)
        figures.answers[kind] += 1
        return response.status_code


def _family(process: int) -> Iterator[int]:
    yield process
    with suppress(FileNotFoundError, ProcessLookupError):
        for thread in Path(f"/proc/{process}/task").iterdir():
            for child in (thread / "children").read_text(encoding="ascii").split():
                yield from _family(int(child))


def _most_kib(process: int) -> int:
    # Of pages that forked processes share, each has its part.
    found = {"VmHWM": 0, "Rss": 0, "Pss": 0}
    for name in ("status", "smaps_rollup"):
        with suppress(FileNotFoundError, ProcessLookupError):
            for line in Path(f"/proc/{process}/{name}").read_text(encoding="ascii").splitlines():
                key, _, value = line.partition(":")
                if key in found:
                    found[key] = int(value.split()[0])
    return found["Pss"] + max(0, found["VmHWM"] - found["Rss"])


@asynccontextmanager
async def running(project: Path, **environment: str) -> AsyncIterator[Process]:
    """Run a node's process in a folder of its own for as long as the context lasts."""
    with tempfile.TemporaryDirectory(prefix="onex-faults-") as folder:
        process = Process(project, Path(folder), environment)
        try:
            yield await process.start()
        finally:
            await process.kill()
            await process.client.aclose()


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    """Wait until a condition holds.

    Raises:
        TimeoutError: It never did.
    """
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not await condition():  # noqa: ASYNC110 - what is waited for happens in another process
            await asyncio.sleep(PAUSE_SECONDS)


@asynccontextmanager
async def load(workers: int, call: Callable[[], Awaitable[object]]) -> AsyncIterator[None]:
    """Call again and again from some callers side by side for as long as the context lasts."""
    stopping = asyncio.Event()

    async def work() -> None:
        while not stopping.is_set():
            await call()
            await asyncio.sleep(PAUSE_SECONDS)

    async with asyncio.TaskGroup() as group:
        for _ in range(workers):
            group.create_task(work())
        try:
            yield
        finally:
            stopping.set()


async def outage(
    process: Process,
    scale: Scale,
    call: Callable[[], Awaitable[int]],
    dependency: tuple[Callable[[], object], Callable[[], object]],
) -> None:
    """Stop a dependency under load, watch the process, and start the dependency again.

    Args:
        process: The node, whose dependency is there.
        scale: How long, and with how many callers.
        call: Calls an operation.
        dependency: Stops the dependency, and starts it again.
    """
    stop, start = dependency
    await until(process.ready)
    assert await call() == OK
    async with load(scale.workers, call):
        await asyncio.to_thread(stop)
        await until(process.unready)
        assert await process.alive()
        await asyncio.sleep(scale.seconds)
        assert await process.unready()
        assert await process.alive()
        await asyncio.to_thread(start)
        await until(process.ready)

        async def answered() -> bool:
            return await call() == OK

        await until(answered)


async def start_without(
    process: Process, call: Callable[[], Awaitable[int]], start: Callable[[], object]
) -> tuple[int, int]:
    """Watch a process whose dependency is missing since its start, then start the dependency.

    Returns:
        Status of a call while the dependency is missing, and of one afterwards.
    """
    assert await process.alive()
    assert await process.unready()
    without = await call()
    await asyncio.to_thread(start)
    await until(process.ready)

    async def answered() -> bool:
        return await call() == OK

    await until(answered)
    return without, await call()


def starter(project: Path, name: str) -> Any:  # noqa: ANN401 - the module is generated, so no type checker knows it
    """Import a module of a generated project's tests, in a package whose name hides none of ours."""
    package = f"generated_{project.as_posix().encode().hex()}"
    if package not in sys.modules:
        sys.modules[package] = tests = ModuleType(package)
        tests.__path__ = [str(project / "tests")]
    return importlib.import_module(f"{package}.{name}")


class Projects:
    """Projects generated from the shared contracts, each when it is asked for."""

    def __init__(self, folder: Path) -> None:
        """Keep the folder that the projects go to."""
        self._folder = folder
        self._template: Path | None = None

    def __call__(self, name: str, contract: Mapping[str, Any] | None = None) -> Path:
        """Return the project of the shared contract with this name, or of another contract under this name."""
        project = self._folder / name
        if not project.exists():
            self._template = self._template or export_template(self._folder / "template")
            generate(self._template, contract or read_contract(CONTRACTS / f"{name}.yaml"), project)
        return project


@contextmanager
def generated() -> Iterator[Projects]:
    """Give generated projects for as long as the context lasts."""
    with tempfile.TemporaryDirectory(prefix="onex-projects-") as folder:
        yield Projects(Path(folder))
