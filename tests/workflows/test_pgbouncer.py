"""PgBouncer between the service and PostgreSQL: session mode works, transaction mode is refused by its name."""

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy.engine import make_url

from app.settings import Settings
from tests.support.actors import Actors
from tests.support.cli import cekal
from tests.support.processes import process
from tests.support.sse import listening
from tests.support.steps import sound

PROGRAM = shutil.which("pgbouncer", path=f"{os.environ.get('PATH', os.defpath)}:/usr/sbin")

pytestmark = [
    pytest.mark.parametrize("engine_url", ["postgresql"], indirect=True),
    pytest.mark.skipif(PROGRAM is None, reason="PgBouncer is not installed (Debian's package pgbouncer)"),
]

_CONFIGURATION = """
[databases]
* = host={host} port={port}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {own}
unix_socket_dir =
auth_type = trust
auth_file = {users}
pool_mode = {mode}
default_pool_size = 40
"""


@contextmanager
def bouncer(address: str, mode: str) -> Iterator[str]:
    """PgBouncer in front of a server, for the block's length; gives the database's address by way of it."""
    far = make_url(address)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        own = probe.getsockname()[1]
    folder = Path(tempfile.mkdtemp(prefix="cekal-pgbouncer-"))
    folder.chmod(0o711)  # it may run as another user
    users, configuration = folder / "users", folder / "pgbouncer.ini"
    users.write_text('"postgres" ""\n')
    configuration.write_text(
        _CONFIGURATION.format(host=far.host, port=far.port, own=own, users=users, mode=mode)
    )
    for each in (users, configuration):
        each.chmod(0o644)
    as_whom = (
        {"user": pwd.getpwnam("nobody").pw_uid} if os.geteuid() == 0 else {}
    )  # it refuses to run as root
    with (folder / "pgbouncer.log").open("wb") as log:
        running = subprocess.Popen(
            [str(PROGRAM), str(configuration)], stdout=log, stderr=log, cwd="/", **as_whom
        )
    try:
        until = time.monotonic() + 20
        while True:
            try:
                socket.create_connection(("127.0.0.1", own), timeout=1).close()
                break
            except OSError:
                assert running.poll() is None, (folder / "pgbouncer.log").read_text()
                assert time.monotonic() < until
                time.sleep(0.05)
        yield far.set(port=own).render_as_string(hide_password=False)
    finally:
        running.terminate()
        running.wait(20)
        shutil.rmtree(folder, ignore_errors=True)


@pytest.mark.parametrize("mode", ["transaction", "statement"])
@pytest.mark.parametrize(
    "command",
    ["serve --port 0", "worker", "migrate", "clients", "backup here", "restore here", "restore"],
)
def test_modes_that_share_sessions_are_refused_by_their_name_before_anything_starts(
    settings: Settings, tmp_path: Path, command: str, mode: str
) -> None:
    with bouncer(settings.url, mode) as address:
        told = cekal(*command.split(), cwd=tmp_path, database_url=address)
    assert told.code == 1, told
    assert told.err.count("\n") == 1, told.err
    for word in ("PgBouncer", f"{mode} mode", "pool_mode = session"):
        assert word in told.err


async def test_session_mode_works_with_its_wake_ups(
    settings: Settings, actors: Actors, tmp_path: Path
) -> None:
    counter, owner = await actors.client("checkpoint"), await actors.client("submitter")
    with bouncer(settings.url, "session") as address:
        given = settings.model_copy(update={"database_url": address})
        async with (
            process(
                given, tmp_path, poll_seconds="3600"
            ) as service,  # so that wake-ups alone bring the alert
            listening(service.http, counter.headers) as stream,
        ):
            await stream.next("heartbeat")
            raised = await sound(service.http, owner)
            assert (await stream.next("alert", within=10)).json["id"] == raised["alert"]["id"]
            service.terminate()
            assert await service.ended() == 0
