"""`cekal serve` with a certificate of its own: real connections, and what is refused before the start."""

import json
import socket
import ssl
from pathlib import Path

import httpx2
import pytest
from pydantic import ValidationError

from app.settings import Settings
from tests.support.actors import Actors
from tests.support.bodies import check_body, entry_body
from tests.support.certificates import CERTIFICATE, KEY, LOCKED_KEY
from tests.support.cli import LONGEST, cekal
from tests.support.running import running


@pytest.fixture
def files(tmp_path: Path) -> dict[str, Path]:
    """The settings of TLS, and their files."""
    given = {"tls_certificate": tmp_path / "host.pem", "tls_key": tmp_path / "host.key"}
    given["tls_certificate"].write_text(CERTIFICATE)
    given["tls_key"].write_text(KEY)
    given["tls_key"].chmod(0o600)
    return given


async def test_a_counter_asks_and_listens_over_tls(
    settings: Settings, actors: Actors, tmp_path: Path, files: dict[str, Path]
):
    counter = await actors.client("checkpoint")
    trusted = ssl.create_default_context(cadata=CERTIFICATE)
    with running("serve", "--port", 0, cwd=tmp_path, database_url=settings.url, **files) as service:
        port = service.heard("ready")["port"]
        url = f"https://127.0.0.1:{port}"
        async with httpx2.AsyncClient(base_url=url, verify=trusted, timeout=LONGEST) as http:
            answer = await http.post(
                "/v1/checks", json=check_body(entry_body()["subject"]), headers=counter.headers
            )
            assert (answer.status_code, answer.json()["outcome"]) == (200, "clear")
            assert (await http.get("/healthz")).headers["strict-transport-security"]
            async with http.stream("GET", "/v1/alerts/stream", headers=counter.headers) as stream:
                assert stream.status_code == 200
                async for line in stream.aiter_lines():
                    assert line
                    break
        async with httpx2.AsyncClient(base_url=url, timeout=LONGEST) as stranger:
            with pytest.raises(httpx2.ConnectError, match=r"(?i)certificate"):
                await stranger.get("/healthz")
        with socket.create_connection(("127.0.0.1", port), timeout=LONGEST) as plain:
            plain.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
            assert not plain.recv(100).startswith(b"HTTP/"), "nothing is said in clear text"
        assert service.end() == 0


def test_only_tls_of_today_is_spoken(sqlite_url: str, tmp_path: Path, files: dict[str, Path]):
    with running("serve", "--port", 0, cwd=tmp_path, database_url=sqlite_url, **files) as service:
        address = ("127.0.0.1", service.heard("ready")["port"])
        trusted = ssl.create_default_context(cadata=CERTIFICATE)
        with (
            socket.create_connection(address, timeout=LONGEST) as line,
            trusted.wrap_socket(line, server_hostname="localhost") as spoken,
        ):
            assert spoken.version() == "TLSv1.3"
        old = ssl.create_default_context(cadata=CERTIFICATE)
        old.set_ciphers("ALL:@SECLEVEL=0")
        with pytest.warns(DeprecationWarning, match="TLSv1"):
            old.minimum_version = ssl.TLSVersion.TLSv1
        with pytest.warns(DeprecationWarning, match="TLSv1"):
            old.maximum_version = ssl.TLSVersion.TLSv1_1
        with (
            socket.create_connection(address, timeout=LONGEST) as line,
            pytest.raises(ssl.SSLError),
        ):
            old.wrap_socket(line, server_hostname="localhost")


@pytest.mark.parametrize(
    ("name", "content"),
    [("tls_certificate", None), ("tls_certificate", "no PEM"), ("tls_key", None), ("tls_key", LOCKED_KEY)],
    ids=["no certificate", "no PEM", "no key", "a key behind a password"],
)
def test_a_certificate_that_can_not_be_used_is_refused_in_a_line(
    sqlite_url: str, tmp_path: Path, files: dict[str, Path], name: str, content: str | None
):
    if content is None:
        files[name].unlink()
    else:
        files[name].write_text(content)
    told = cekal("serve", "--port", 0, cwd=tmp_path, database_url=sqlite_url, **files)
    assert (told.code, told.err.count("\n")) == (2, 1), told.err
    assert "CEKAL_TLS_CERTIFICATE and CEKAL_TLS_KEY can't be used" in told.err


def test_a_key_without_a_certificate_is_a_mistake(tmp_path: Path):
    with pytest.raises(ValidationError, match="CEKAL_TLS_KEY needs CEKAL_TLS_CERTIFICATE"):
        Settings(tls_key=tmp_path / "key")


def test_a_key_that_others_may_read_is_named(sqlite_url: str, tmp_path: Path, files: dict[str, Path]):
    files["tls_key"].chmod(0o644)
    with running("serve", "--port", 0, cwd=tmp_path, database_url=sqlite_url, **files) as service:
        service.heard("ready")
        warned = [json.dumps(line) for line in service.lines() if "other users" in line["message"]]
    assert f"{files['tls_key']} (0644)" in "".join(warned)
