"""What stands in for servers: it starts on busy machines, and ends without noise."""

import os
import socket
import subprocess
import time
from contextlib import ExitStack

import httpx
import pytest
from doubles.http_server import Answer, LocalApi, Route, share_local_api
from doubles.servers import _patiently


class Busy:
    """A server that is not there at first, as on a busy machine."""

    def __init__(self, *errors: Exception) -> None:
        self.errors = [*errors]

    def start(self) -> None:
        if self.errors:
            raise self.errors.pop(0)


def test_server_that_starts_slowly_is_waited_for() -> None:
    busy = Busy(subprocess.TimeoutExpired("pg_ctl", 10), AssertionError("half a file"))
    _patiently(busy.start)
    assert busy.errors == []


@pytest.mark.parametrize("error", [subprocess.TimeoutExpired("pg_ctl", 10), subprocess.CalledProcessError(1, "pg_ctl")])
def test_server_that_does_not_start_is_an_error(error: Exception) -> None:
    with pytest.raises(type(error)):
        _patiently(Busy(error).start, seconds=-1)


def test_clients_that_hang_up_make_no_noise(capsys: pytest.CaptureFixture[str]) -> None:
    api = LocalApi()
    api.answers = [Answer(body=b"x" * 10_000_000, pause=0.05)]
    for sent in (b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", b"POST / HTTP/1.1\r\nContent-Length: 9\r\n\r\n1", b"GET"):
        with socket.create_connection(("127.0.0.1", int(api.url.rpartition(":")[2]))) as client:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")  # hangs up at once
            client.sendall(sent)
            time.sleep(0.02)
    time.sleep(0.2)
    api.stop()
    assert capsys.readouterr().err == ""


def test_nodes_share_a_local_api(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOP_URL", "")
    monkeypatch.setenv("BANK_URL", "http://bank.example.org")
    apis: dict[str, LocalApi] = {}
    with ExitStack() as servers:
        for variable, path in (("SHOP_URL", "/prices"), ("BANK_URL", "/rates"), ("SHOP_URL", "/rates")):
            share_local_api(variable, [Route("GET", path, Answer(body={"path": path}))], servers, apis)
        url = os.environ["SHOP_URL"]
        for path in ("/prices", "/rates"):
            assert httpx.get(f"{url}{path}").json() == {"path": path}
        assert os.environ["BANK_URL"] == "http://bank.example.org"
        assert list(apis) == ["SHOP_URL"]
    with pytest.raises(httpx.TransportError):
        httpx.get(f"{url}/prices")
