"""The service shows a certificate, and the new one once its files are renewed."""

import asyncio
import json
import logging
import os
import ssl
from pathlib import Path
from typing import Any

import httpx
import pytest
import trustme
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)
from onex_node_runtime.serving import server as serving_server
from onex_node_runtime.serving.application import application, metrics_served, serve
from onex_node_runtime.serving.certificate import Certificate, certificate_of
from onex_node_runtime.settings.service import ListenerSettings
from pydantic import ValidationError

from tests.runtime.serving import served, serving

HOST = "127.0.0.1"


def written(folder: Path, authority: trustme.CA) -> dict[str, str]:
    """Write a new certificate into a folder, and return the settings that name it."""
    made = authority.issue_cert(HOST)
    certificate, key = folder / "tls.crt", folder / "tls.key"
    made.private_key_pem.write_to_path(key)
    certificate.write_bytes(b"".join(part.bytes() for part in made.cert_chain_pems))
    return {"service_tls_cert_file": str(certificate), "service_tls_key_file": str(key)}


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


def trusting(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.create_default_context()
    authority.configure_trust(context)
    return context


async def serial(port: int, context: ssl.SSLContext) -> str:
    _, writer = await asyncio.open_connection(HOST, port, ssl=context)
    found: dict[str, Any] = writer.get_extra_info("peercert")
    writer.close()
    return str(found["serialNumber"])


async def test_the_service_speaks_tls(tmp_path: Path, authority: trustme.CA) -> None:
    settings: dict[str, Any] = written(tmp_path, authority)
    async with serving(served(**settings)) as port:
        async with httpx.AsyncClient(verify=trusting(authority), base_url=f"https://{HOST}:{port}") as client:
            assert (await client.post("/operations/echo", json={"a": 1})).json() == {"a": 1}
            assert (await client.get("/health")).status_code == 200
        async with httpx.AsyncClient(base_url=f"https://{HOST}:{port}") as stranger:
            with pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
                await stranger.get("/health")
        async with httpx.AsyncClient(base_url=f"http://{HOST}:{port}") as plain:
            with pytest.raises(httpx.TransportError):
                await plain.get("/health")
        old = trusting(authority)
        # Python warns of what is obsolete, which is the point.
        with pytest.warns(DeprecationWarning, match="TLSv1_1 is deprecated"):
            old.maximum_version = ssl.TLSVersion.TLSv1_1
        with pytest.raises(ssl.SSLError):
            await serial(port, old)


async def test_metrics_of_their_own_port_speak_tls_too(tmp_path: Path, authority: trustme.CA) -> None:
    settings = ListenerSettings.model_validate({"service_host": HOST, **written(tmp_path, authority)})
    async with metrics_served(lambda: (b"figures", "text/plain"), settings, 0) as server:
        while not server.started:
            await asyncio.sleep(0.01)
        port = server.servers[0].sockets[0].getsockname()[1]
        async with httpx.AsyncClient(verify=trusting(authority)) as client:
            assert (await client.get(f"https://{HOST}:{port}/metrics")).text == "figures"


async def test_a_renewed_certificate_is_shown(
    tmp_path: Path, authority: trustme.CA, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(serving_server, "LOOK_SECONDS", 0.1)
    settings: dict[str, Any] = written(tmp_path, authority)
    async with serving(served(**settings)) as port:
        context = trusting(authority)
        before = await serial(port, context)
        assert await serial(port, context) == before
        written(tmp_path, authority)
        async with asyncio.timeout(20):
            while await serial(port, context) == before:
                await asyncio.sleep(0.1)


def test_half_of_a_renewal_changes_nothing(
    tmp_path: Path, authority: trustme.CA, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, logger="omnibase")
    settings = written(tmp_path, authority)
    certificate = Certificate(Path(settings["service_tls_cert_file"]), Path(settings["service_tls_key_file"]))
    certificate.refresh()
    assert caplog.text == ""
    key = tmp_path / "tls.key"
    kept = key.read_bytes()
    authority.issue_cert(HOST).private_key_pem.write_to_path(key)
    certificate.refresh()
    key.unlink()
    certificate.refresh()
    assert caplog.text.count("certificate_unusable") == 2
    key.write_bytes(kept)
    os.utime(key, (1, 1))
    certificate.refresh()
    assert caplog.text.count("certificate_renewed") == 1


def lines(caplog: pytest.LogCaptureFixture) -> list[tuple[int, str, dict[str, Any]]]:
    found = [(record.levelno, json.loads(record.getMessage())) for record in caplog.records]
    return [(level, line["message"], line["context"]) for level, line in found]


@pytest.mark.parametrize("apart", [True, False], ids=["two files", "one file"])
def test_each_renewal_is_told_once(
    apart: bool, tmp_path: Path, authority: trustme.CA, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, logger="omnibase")

    def write() -> tuple[Path, Path | None]:
        if apart:
            paths = written(tmp_path, authority)
            return Path(paths["service_tls_cert_file"]), Path(paths["service_tls_key_file"])
        path = tmp_path / "both.pem"
        authority.issue_cert(HOST).private_key_and_cert_chain_pem.write_to_path(path)
        return path, None

    certificate, key = write()
    shown = Certificate(certificate, key)
    for path in {certificate, key or certificate}:
        # The same content at another moment is another file.
        os.utime(path, ns=(1, 1))
        shown.refresh()
        shown.refresh()
        assert lines(caplog) == [(logging.INFO, "certificate_renewed", {})]
        caplog.clear()
    (key or certificate).write_bytes(b"no PEM")
    shown.refresh()
    shown.refresh()
    assert lines(caplog) == [(logging.WARNING, "certificate_unusable", {"error": "SSLError"})] * 2
    (key or certificate).unlink()
    caplog.clear()
    shown.refresh()
    assert lines(caplog) == [(logging.WARNING, "certificate_unusable", {"error": "FileNotFoundError"})]


def test_a_key_with_a_password_is_asked_of_nobody(tmp_path: Path, authority: trustme.CA) -> None:
    made = authority.issue_cert(HOST)
    key = load_pem_private_key(made.private_key_pem.bytes(), None)
    secret = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"word"))
    path = tmp_path / "both.pem"
    path.write_bytes(secret + b"".join(part.bytes() for part in made.cert_chain_pems))
    with pytest.raises(ssl.SSLError):
        Certificate(path, None)


def test_a_service_without_a_certificate_speaks_plain_http(tmp_path: Path, authority: trustme.CA) -> None:
    assert certificate_of(ListenerSettings()) is None
    both = certificate_of(ListenerSettings.model_validate(written(tmp_path, authority)))
    assert both is not None
    assert both.context.verify_mode is ssl.CERT_NONE


@pytest.mark.parametrize("content", [None, b"", b"no PEM"])
async def test_a_certificate_that_can_not_be_used_ends_the_start(
    content: bytes | None, tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("onex_node_runtime.serving.application.signal.signal", lambda *_: None)
    caplog.set_level(logging.INFO, logger="omnibase")
    path = tmp_path / "tls.pem"
    if content is not None:
        path.write_bytes(content)
    node = served(service_tls_cert_file=str(path))
    with pytest.raises(SystemExit) as ended:
        await serve(application(node), node.settings)
    assert (ended.value.code, "certificate_unusable" in caplog.text) == (1, True)


def test_one_file_may_hold_both(tmp_path: Path, authority: trustme.CA) -> None:
    path = tmp_path / "both.pem"
    authority.issue_cert(HOST).private_key_and_cert_chain_pem.write_to_path(path)
    assert Certificate(path, None).context.minimum_version is ssl.TLSVersion.TLSv1_2


def test_a_key_needs_a_certificate() -> None:
    with pytest.raises(ValidationError, match="needs SERVICE_TLS_CERT_FILE"):
        ListenerSettings.model_validate({"service_tls_key_file": "/tls.key"})
