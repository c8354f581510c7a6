"""Answers that want more than to be a method, for any stub: what they would do, and how."""

import ast
from typing import NamedTuple

from extensions.filling.stubs import Stub

CANARY = "canary"
"""A file in the home that hostile answers read, write and change."""

BY_TRIAL_ALONE = frozenset({"a loop without end", "memory", "a polite end of the process"})
"""Answers that no syntax tree tells from good ones."""


class Body(NamedTuple):
    """A body: its lines, and what stands before the method."""

    lines: tuple[str, ...]
    ahead: str = ""


def method(stub: Stub, *lines: str, ahead: str = "") -> str:
    """Return the code of an answer whose body has these lines."""
    found = stub.method
    assert found.returns
    body = "\n".join(f"    {line}" for line in lines)
    signature = f"async def handle({ast.unparse(found.args)}) -> {ast.unparse(found.returns)}:"
    return f"{ahead}\n{signature}\n{body}\n"


def bodies(home: str, port: int) -> dict[str, Body]:
    """Return hostile bodies by what they try.

    Args:
        home: A folder outside of the project, with a canary.
        port: A port of loopback on which somebody listens.
    """
    canary = f"{home}/{CANARY}"
    touch = f"touch {home}/started"

    def of(*lines: str, ahead: str = "") -> Body:
        return Body((*lines, "raise ValueError"), ahead)

    return {
        "os.system": of(f"os.system({touch!r})", ahead="import os"),
        "os.system when it is imported": of("pass", ahead=f"import os\nos.system({touch!r})"),
        "os.system in a constant": of("pass", ahead=f"import os\n_DONE = os.system({touch!r})"),
        "os.system in a default": of("pass", ahead=f"import os\ndef _x(a=os.system({touch!r})):\n    return a\n"),
        "subprocess": of(f"subprocess.run({touch.split()!r})", ahead="import subprocess"),
        "asyncio's subprocess": of(f"await asyncio.create_subprocess_shell({touch!r})", ahead="import asyncio"),
        "by another module": of(f"logging.os.system({touch!r})", ahead="import logging"),
        "by an alias of a module": of("found = logging", f"found.os.system({touch!r})", ahead="import logging"),
        "by a getter": of(
            f"operator.attrgetter('os.system')(logging)({touch!r})", ahead="import logging\nimport operator"
        ),
        "getattr": of(f"getattr(__import__('os'), 'system')({touch!r})"),
        "eval": of(f"eval({f'__import__({"os"!r}).system({touch!r})'!r})"),
        "builtins": of(f"__builtins__['exec']({f'import os; os.system({touch!r})'!r})"),
        "subclasses": of(
            "for each in ().__class__.__base__.__subclasses__():",
            "    if each.__name__ == 'Popen':",
            f"        each({touch.split()!r})",
        ),
        "globals of a function": of(f"self.handle.__globals__['__builtins__']['__import__']('os').system({touch!r})"),
        "ctypes": of(f"ctypes.CDLL(None).system({touch.encode()!r})", ahead="import ctypes"),
        "posix_spawn": of(f"os.posix_spawn('/bin/touch', ['touch', '{home}/started'], {{}})", ahead="import os"),
        "exec": of(f"os.execv('/bin/touch', ['touch', '{home}/started'])", ahead="import os"),
        "fork": of("while True:", "    os.fork()", ahead="import os"),
        "threads": of(
            "while True:", "    threading.Thread(target=time.sleep, args=(9,)).start()", ahead="import threading, time"
        ),
        "signals": of("os.kill(os.getppid(), 9)", ahead="import os"),
        "signals to all": of("os.kill(-1, 9)", ahead="import os"),
        "a socket": of(f"socket.create_connection(('127.0.0.1', {port}))", ahead="import socket"),
        "a URL": of(
            f"urllib.request.urlopen('http://127.0.0.1:{port}/')", ahead="import urllib.request"
        ),
        "a datagram": of(
            f"socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'x', ('127.0.0.1', {port}))",
            ahead="import socket",
        ),
        "asyncio's connection": of(f"await asyncio.open_connection('127.0.0.1', {port})", ahead="import asyncio"),
        "the home": of(
            f"raise RuntimeError(pathlib.Path({canary!r}).read_text())", ahead="import pathlib"
        ),
        "the environment": of("raise RuntimeError(str(dict(os.environ)))", ahead="import os"),
        "the parent's environment": of(
            "raise RuntimeError(open(f'/proc/{os.getppid()}/environ').read())", ahead="import os"
        ),
        "a file outside": of(f"open('{home}/started', 'w')"),
        "the canary": of(f"open({canary!r}, 'w').write('changed')"),
        "the mode of a file": of(f"os.chmod({canary!r}, 0)", ahead="import os"),
        "the time of a file": of(f"os.utime({canary!r}, (0, 0))", ahead="import os"),
        "a log that is a file": of(f"logging.FileHandler('{home}/started')", ahead="import logging"),
        "a loop without end": of("while True:", "    pass"),
        "memory": of("held = [b'x' * 2**33]", "del held"),
        "the end of the process": of("os._exit(0)", ahead="import os"),
        "a polite end of the process": of("raise SystemExit(0)"),
        "tests that pass": of(
            "import gc, pytest",
            "for each in gc.get_objects():",
            "    if isinstance(each, pytest.Session):",
            "        each.testsfailed = 0",
            "        os._exit(0)",
            ahead="import os",
        ),
        "NUL": of("x = '\0'"),
        "deep": of(f"x = {'(' * 500}1{')' * 500}"),
        "deeper": of(f"x = {'-' * 3000}1"),
        "long": of(*["x = 1"] * 20_000),
        "checks switched off": of("import os  # noqa", f"os.system({touch!r})  # type: ignore"),
        "ruff switched off": of("pass", ahead="# ruff: noqa"),
        "still a stub": Body(("raise NotImplementedError",)),
        "a class within": of("class X:", f"    import os; os.system({touch!r})"),
        "a module of the node": of("pass", ahead="from .handler import x"),
        "all names": of("pass", ahead="from json import *"),
    }  # fmt: skip


def answers(stub: Stub, home: str, port: int) -> dict[str, str]:
    """Return hostile answers by what they try: hostile bodies, and what is no body.

    Args:
        stub: The stub that is asked for.
        home: A folder outside of the project, with a canary.
        port: A port of loopback on which somebody listens.
    """
    touch = f"touch {home}/started"
    plain = method(stub, "pass", "raise ValueError")
    found = {name: method(stub, *body.lines, ahead=body.ahead) for name, body in bodies(home, port).items()}
    found |= {
        "another signature": f"async def handle(self, request):\n    import os\n    os.system({touch!r})\n",
        "one more argument": plain.replace("request:", "more: int, request:"),
        "no coroutine": plain.replace("async ", ""),
        "a decorator": f"import os\n@(lambda f: os.system({touch!r}) or f)\n{plain.lstrip()}",
        "two classes": f"class {stub.class_name}:\n    pass\n\nclass Other:\n    pass\n",
        "two methods": plain + plain,
        "two blocks": f"```python\n{plain}```\nor\n```python\n{plain}```\n",
        "words": "I'm sorry, I can't help with that.",
        "JavaScript": "async function handle(request) { return require('child_process').exec('true') }",
        "nothing": "",
        "an empty block": "```python\n```",
        "cut off": plain[:-20] + "raise Value('",
    }  # fmt: skip
    return {name: code if "```" in code else f"```python\n{code}```" for name, code in found.items()}
