"""A command that pages people by writing what it is given into files."""

import json
import shlex
import sys
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Paged:
    """What the command was given once."""

    id: str
    address: str
    text: str


class Inbox:
    """What a deployment's paging command has been given.

    Attributes:
        command: the command, as a setting names it.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self._messages, self._exit_code = folder / "messages", folder / "exit"
        self.command = folder / "page"
        program = (
            "import json, os, sys, time\n"
            "told = [os.environ['CEKAL_PAGE_ID'], os.environ['CEKAL_PAGE_ADDRESS'], sys.stdin.read()]\n"
            f"with open({str(self._messages)!r}, 'a') as messages:\n"
            "    messages.write(json.dumps(told) + '\\n')\n"
            f"time.sleep(4 if told[1] == open({str(folder / 'hanging')!r}).read() else 0)\n"
            f"sys.exit(int(open({str(self._exit_code)!r}).read()))\n"
        )
        self.command.write_text(f"#!/bin/sh\nexec {shlex.quote(sys.executable)} -c {shlex.quote(program)}\n")
        self.command.chmod(0o700)
        self._hanging = folder / "hanging"
        self.hang("")
        self.fail(0)
        self.empty()

    def fail(self, code: int) -> None:
        """Let the command end with this code from now on; 0 is no failure."""
        self._exit_code.write_text(str(code))

    def hang(self, address: str) -> None:
        """Let the command take four seconds for an address."""
        self._hanging.write_text(address)

    def empty(self) -> None:
        """Forget what was given so far."""
        self._messages.write_text("")

    def messages(self) -> list[Paged]:
        """Every message, in order."""
        return [Paged(*json.loads(line)) for line in self._messages.read_text().splitlines()]

    def addresses(self) -> list[str]:
        """The address of every message, in order."""
        return [message.address for message in self.messages()]
