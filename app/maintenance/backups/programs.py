"""Running PostgreSQL's client programs, without showing the password, and reporting their error messages."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, Any, Final

from sqlalchemy.engine import URL

from app.db.addresses import libpq_address
from app.maintenance.backups.inventory import BackupFailed

_NOW_AND_THEN: Final = 0.5
_ERROR_LINE: Final = ("error:", "detail:", "hint:", "fatal:")


def require(*names: str) -> None:
    """Raise BackupFailed unless all programs are found in PATH.

    Raises:
        BackupFailed: a program is missing.
    """
    for name in names:
        if shutil.which(name) is None:
            raise BackupFailed(
                f"{name} is not found: install PostgreSQL's client programs of the server's version, or of a newer "
                "one, where PATH leads to, or use PostgreSQL's own means (docs/deployment.md)."
            )


@dataclass(frozen=True, slots=True)
class Server:
    """The connection parameters of a database, for PostgreSQL's client programs.

    Attributes:
        address: the database's address without the password, since every user of the machine can read the arguments of
            a program.
        environment: the environment variables of the program, with the password.
    """

    address: str
    environment: dict[str, str]


def server_of(url: URL) -> Server:
    """Return the connection parameters for the database that a URL names."""
    query = dict(url.query)
    password = query.pop("password", None) or url.password
    bare = URL.create(url.drivername, url.username, None, url.host, url.port, url.database, query)
    environment = {**os.environ, "LC_ALL": "C"}
    if password:
        environment["PGPASSWORD"] = str(password)
    return Server(libpq_address(bare), environment)


class Program:
    """A running program, with its standard error kept for an error message.

    Args:
        name: the program's name, for the error message.
        error_file: the open file to which the program writes its standard error.

    Attributes:
        running: the process.
    """

    def __init__(self, name: str, running: subprocess.Popen[bytes], error_file: IO[bytes]) -> None:
        self.running = running
        self._name = name
        self._error_file = error_file

    def finish(self, meanwhile: Callable[[], None] = lambda: None) -> None:
        """Wait until the program has ended, and call `meanwhile` every half second of the wait.

        Raises:
            BackupFailed: the program's exit code is not 0; the message contains its own error lines.
        """
        while (code := self._waited()) is None:
            meanwhile()
        if code == 0:
            return
        self._error_file.seek(0)
        lines = self._error_file.read().decode(errors="replace").splitlines()
        error_lines = [line for line in lines if any(word in line.lower() for word in _ERROR_LINE)] or lines[
            -1:
        ]
        raise BackupFailed(f"{self._name} failed: {'; '.join(error_lines[:4]) or f'it ended with {code}'}.")

    def _waited(self) -> int | None:
        try:
            return self.running.wait(_NOW_AND_THEN)
        except subprocess.TimeoutExpired:
            return None


@contextmanager
def started(command: Sequence[str], environment: dict[str, str], **streams: Any) -> Iterator[Program]:
    """Start a program for the block, and wait for its end afterwards. An exception in the block kills the program.

    The end of the block does not look at the exit code. Call `Program.finish` in the block: it raises BackupFailed if
    the program fails.

    Args:
        command: the program's name and arguments.
        environment: its environment variables.
        streams: `stdin` and `stdout`: `subprocess.PIPE`, or another value that `subprocess.Popen` takes. A stream that
            is not given is `/dev/null`.

    Raises:
        OSError: the program can't be started, as when it is missing.
    """
    with tempfile.TemporaryFile() as error_file:
        given = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, **streams}
        with subprocess.Popen(command, env=environment, stderr=error_file, **given) as running:  # noqa: S603
            try:
                yield Program(command[0], running, error_file)
            except BaseException:
                running.kill()
                raise
