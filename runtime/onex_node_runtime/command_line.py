# The runtime of copier-onex, the same in every node. Change it in the template, not here.
"""The command line of a node: the service, or one operation without it."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO
from uuid import UUID, uuid4

from omnibase_core.errors import ModelOnexError

from .hosting import container_of_process
from .json_values import parsed
from .logs import configure

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pydantic import JsonValue

    from .serving.hosted import HostedNode

_UNHEARD = 3


@dataclass(frozen=True, slots=True)
class CommandLine:
    """What a node does when it is called by its name.

    Attributes:
        node_class: The node.
        serve: Runs the service until it is told to stop.
        with_bus: Whether the container of a node that runs one operation brings an event bus.
    """

    node_class: type[HostedNode[Any]]
    serve: Callable[[], None]
    with_bus: bool = False

    def main(self, arguments: Sequence[str] | None = None) -> int:
        """Run the service, or one operation.

        Args:
            arguments: What follows the command's name; that of the process when left out.

        Returns:
            The exit status: 0 after a success, 1 after a failure, 3 after a success whose output could not be written.
            A command that is not understood leaves with 2.
        """
        options = self._parser().parse_args(arguments)
        if options.command != "call":
            self.serve()
            return 0
        correlation_id = options.correlation_id or uuid4()
        try:
            payload = parsed(_bytes(options.input))
            values = {"operation": options.operation, "payload": payload, "correlation_id": correlation_id}
            request = self.node_class.request_model.model_validate(values)
        except (OSError, ValueError, RecursionError):
            return _failed("INVALID_INPUT", "The input is not a JSON object, or can't be read.", correlation_id)
        settings = self.node_class.settings_model()
        configure(settings)
        try:
            result = asyncio.run(self._called(request, settings))
        except ModelOnexError as error:
            problems = error.context.get("additional_context", {}).get("problems", [])
            return _failed(str(error.error_code), error.message, correlation_id, problems)
        if not _told(result, sys.stdout):
            _told({"detail": "The operation is done, and its output could not be written."}, sys.stderr)
            return _UNHEARD
        return 0

    async def _called(self, request: Any, settings: Any) -> dict[str, JsonValue]:
        async with container_of_process(with_bus=self.with_bus) as container:
            node = self.node_class(container, settings)
            await node.initialize()
            try:
                return (await node.handle(request)).result
            finally:
                await node.shutdown()

    def _parser(self) -> argparse.ArgumentParser:
        operations = self.node_class.OPERATIONS
        parser = argparse.ArgumentParser(prog=self.node_class.NAME.replace("_", "-"))
        commands = parser.add_subparsers(title="commands", metavar="{serve,call}", dest="command")
        commands.add_parser("serve", help="run the service until it is told to stop; the default")
        call = commands.add_parser("call", help="run one operation, and print its output as JSON")
        call.add_argument("operation", type=operations, choices=list(operations), help="its name")
        call.add_argument("input", nargs="?", default="{}", help="JSON, @ and a file's name, or - for standard input")
        call.add_argument("--correlation-id", type=UUID, help="a UUID, for logs, events and errors")
        return parser


def _bytes(given: str) -> bytes:
    # JSON is UTF-8, whatever the locale; words of the command line are bytes where the locale has no letters for them.
    if given == "-":
        return sys.stdin.buffer.read()
    return Path(given[1:]).read_bytes() if given.startswith("@") else given.encode(errors="surrogateescape")


def _failed(code: str, detail: str, correlation_id: UUID, problems: object = None) -> int:
    failure: dict[str, object] = {"code": code, "detail": detail, "correlation_id": str(correlation_id)}
    failure |= {"problems": problems} if problems else {}
    _told(failure, sys.stderr)
    return 1


def _told(value: dict[str, Any], stream: TextIO | None) -> bool:
    """Write a value as a line of JSON, with escapes where the stream has no letters for it; tell whether it arrived."""
    if stream is None:  # closed before the process began
        return False
    text = json.dumps(value, ensure_ascii=(stream.encoding or "").lower() != "utf-8")
    try:
        stream.write(f"{text}\n")
        stream.flush()
    except (OSError, ValueError):
        # Python flushes once more at its end, and would fail for this.
        with suppress(OSError, ValueError):
            null = os.open(os.devnull, os.O_WRONLY)
            os.dup2(null, stream.fileno())
            os.close(null)
        return False
    return True
