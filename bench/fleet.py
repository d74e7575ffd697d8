"""Processes of one register that are killed and started again at the same address."""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

from bench.processes import Cores, Server, free_port, serving_cekal


class Fleet:
    """Processes of one register.

    Args:
        name: names their log files.
        folder: where these are.
        cores: where the processes run.
        settings: `CEKAL_…` variables.

    Attributes:
        servers: the running processes.
    """

    def __init__(self, name: str, folder: Path, cores: Cores, settings: Mapping[str, str]) -> None:
        self.servers: list[Server] = []
        self._name, self._folder, self._cores, self._settings = name, folder, cores, settings
        self._lives: list[ExitStack] = []
        self._started = 0

    @property
    def addresses(self) -> list[str]:
        """The URLs of the processes, which stay."""
        return [f"http://127.0.0.1:{each.port}" for each in self.servers]

    def start(self) -> None:
        """Start a further process.

        Raises:
            ServerFailed: it did not start.
        """
        life = ExitStack()
        self.servers.append(self._serve(life, free_port()))
        self._lives.append(life)

    def kill(self, which: int) -> None:
        """Kill a process at once, as a power cut would, and start it again.

        Raises:
            ServerFailed: it did not start again.
        """
        port = self.servers[which].port
        self.servers[which].process.kill()
        self._lives[which].close()
        self.servers[which] = self._serve(self._lives[which], port)

    def end(self) -> None:
        """End all processes."""
        for each in self._lives:
            each.close()

    def _serve(self, life: ExitStack, port: int) -> Server:
        self._started += 1
        name = f"{self._name}-{self._started}"
        return life.enter_context(serving_cekal(name, self._folder, self._cores, self._settings, port))


@contextmanager
def fleet(number: int, name: str, folder: Path, cores: Cores, settings: Mapping[str, str]) -> Iterator[Fleet]:
    """So many processes of one register for the block's length; arguments and errors as `Fleet`."""
    made = Fleet(name, folder, cores, settings)
    try:
        for _ in range(number):
            made.start()
        yield made
    finally:
        made.end()
