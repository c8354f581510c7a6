"""A stand-in for an endpoint of chat completions, on loopback: it asserts what it is asked, and replays answers.

No model is behind it. `python -m tests.asking.endpoint FILE` serves the answers of a YAML list, for trying commands by
hand.
"""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import yaml

KEY = "sk-of-the-tests-and-of-nothing-else"
MODEL = "scripted"


@dataclass(frozen=True)
class Reply:
    """What is answered.

    Attributes:
        text: The model's answer; None for a body of one's own.
        status: The status.
        body: The body, where there is no text.
        content_type: Its type.
        headers: Further headers.
        seconds: How long it takes.
        drip: Seconds between two of its bytes.
        finish: Why the model ended.
        usage: Tokens of prompt and answer; None to leave them out.
    """

    text: str | None = None
    status: int = 200
    body: str = ""
    content_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)
    seconds: float = 0.0
    drip: float = 0.0
    finish: str = "stop"
    usage: tuple[int, int] | None = (1000, 200)


def error(status: int, message: str, **headers: str) -> Reply:
    """Return an error as such endpoints have them."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Reply(status=status, body=json.dumps({"error": {"message": message}}), headers=named)


type Script = Sequence[Reply | str] | Callable[[Mapping[str, Any]], Reply | str]


class Endpoint:
    """What was asked, and what is wrong with it."""

    def __init__(self, script: Script) -> None:
        """Keep what to answer: replies in turn, the last one for ever, or a function of the request."""
        self.requests: list[dict[str, Any]] = []
        self.wrong: list[str] = []
        self.url = ""
        self.is_over = False
        self._script = script

    def reply(self, path: str, authorization: str, request: dict[str, Any]) -> Reply:
        """Look at a request, and answer it."""
        self.requests.append(request)
        self.wrong += _wrong(path, authorization, request)
        script = self._script
        found = script(request) if callable(script) else script[min(len(self.requests), len(script)) - 1]
        return Reply(found) if isinstance(found, str) else found


def _wrong(path: str, authorization: str, request: Mapping[str, Any]) -> Iterator[str]:
    if path != "/v1/chat/completions":
        yield f"path {path}"
    if authorization != f"Bearer {KEY}":
        yield f"authorization {authorization}"
    if request.get("model") != MODEL:
        yield f"model {request.get('model')}"
    roles = [message["role"] for message in request.get("messages", ())]
    if roles[:2] != ["system", "user"] or roles[2:] != ["assistant", "user"] * ((len(roles) - 2) // 2):
        yield f"roles {roles}"
    if not all(isinstance(message["content"], str) for message in request.get("messages", ())):
        yield "a message is no text"
    unknown = set(request) - {"model", "messages", "max_tokens", "max_completion_tokens", "response_format"}
    if unknown:
        yield f"parameters {sorted(unknown)}"
    if ("max_tokens" in request) == ("max_completion_tokens" in request):
        yield "no limit of the answer, or two"
    match request.get("response_format", {}):
        case {"type": "json_schema", "json_schema": {"name": str(), "strict": True, "schema": schema}}:
            yield from _loose(schema, "schema")
        case {"type": "json_object"} | {}:
            pass
        case other:
            yield f"response_format {other}"


def _loose(schema: object, place: str) -> Iterator[str]:
    """Yield where a schema is not of the subset that endpoints take in strict mode."""
    if isinstance(schema, list):
        for number, item in enumerate(schema):
            yield from _loose(item, f"{place}.{number}")
    if not isinstance(schema, dict):
        return
    if "properties" in schema:
        if schema.get("additionalProperties") is not False:
            yield f"{place} is open"
        if set(schema.get("required", ())) != set(schema["properties"]):
            yield f"{place} has optional keys"
    for key, value in schema.items():
        if key in {"minLength", "maxLength", "pattern", "minItems", "maxItems", "if", "oneOf", "allOf"}:
            yield f"{place}.{key}"
        yield from _loose(value, f"{place}.{key}")


@contextmanager
def serving(script: Script, port: int = 0) -> Iterator[Endpoint]:
    """Serve answers for the length of the block; at its end, what was asked wrongly is an error.

    Args:
        script: What to answer.
        port: Where; any free one by default.

    Yields:
        The endpoint, with its URL.
    """
    endpoint = Endpoint(script)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            reply = endpoint.reply(self.path, self.headers.get("Authorization", ""), request)
            time.sleep(reply.seconds)
            body = (reply.body if reply.text is None else _completion(reply)).encode()
            try:
                self.send_response(reply.status)
                for name, value in {**reply.headers, "Content-Type": reply.content_type}.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                for byte in body if reply.drip else ():
                    self.wfile.write(bytes([byte]))
                    time.sleep(reply.drip)
                    if endpoint.is_over:
                        return
                self.wfile.write(b"" if reply.drip else body)
            except OSError:
                pass  # the client has given up

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", port), Handler) as server:
        endpoint.url = f"http://127.0.0.1:{server.server_address[1]}/v1"
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        try:
            yield endpoint
        finally:
            endpoint.is_over = True
            server.shutdown()
            thread.join()
    assert endpoint.wrong == []


def interrupted(module: str, arguments: Sequence[str], endpoint: Endpoint, **environment: str) -> tuple[int, str]:
    """Run a command until it asks the endpoint, interrupt it, and return its status and what it told of that.

    Args:
        module: Has the command's `main`.
        arguments: The command line without the program's name.
        endpoint: What it asks.
        environment: Variables beside those of this process.
    """
    code = f"import sys; from {module} import main; sys.exit(main(sys.argv[1:]))"
    with subprocess.Popen(
        [sys.executable, "-c", code, *arguments], env=os.environ | environment, stderr=subprocess.PIPE, text=True
    ) as process:
        while not endpoint.requests:
            time.sleep(0.02)
        process.send_signal(signal.SIGINT)
        told = process.communicate(timeout=60)[1]
    return process.returncode, told


def _completion(reply: Reply) -> str:
    message = {"role": "assistant", "content": reply.text}
    answer: dict[str, Any] = {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 0,
        "model": MODEL,
        "choices": [{"index": 0, "message": message, "finish_reason": reply.finish}],
    }
    if reply.usage:
        prompt, told = reply.usage
        answer["usage"] = {"prompt_tokens": prompt, "completion_tokens": told, "total_tokens": prompt + told}
    return json.dumps(answer)


def main() -> int:
    """Serve the answers of a file until interrupted."""
    script = yaml.safe_load(Path(sys.argv[1]).read_text(encoding="utf-8"))
    with serving(script, port=8001) as endpoint:
        sys.stdout.write(f"OPENAI_API_KEY={KEY} … --model {MODEL} --base-url {endpoint.url}\n")
        try:
            threading.Event().wait()
        except KeyboardInterrupt:
            endpoint.wrong.clear()
    return 0


if __name__ == "__main__":
    sys.exit(main())
