"""The witness of the demonstration: `cekal witness` in a process of its own, with its own keys and its own file."""

import asyncio
from asyncio.subprocess import PIPE, STDOUT
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from app.demo.server import HOST, any_free_port, command, environment, http_client, running
from app.tlog.keys import VerifierKey

NAME: Final = "ombudsman.example"
"""The witness's name in its signatures."""

FOLDER: Final = "witness"
POLICY: Final = "logs.policy"
FORK: Final = "fork.txt"
_DATA: Final = "cekal-witness"
"""The folder in which its commands look for its file unless another one is named."""


@dataclass(frozen=True, slots=True)
class DemoWitness:
    """A witness that is being served.

    Attributes:
        register: the folder of the register whose heads the witness cosigns.
        url: the witness's address.
        keys: the witness's public keys.
    """

    register: Path
    url: str
    keys: tuple[VerifierKey, ...]

    @property
    def folder(self) -> Path:
        """The witness's folder, with its policy, keys, database file and log."""
        return self.register / FOLDER

    @property
    def register_policy(self) -> Path:
        """The policy file that names this witness to the register."""
        return self.folder / "witness.policy"

    async def add_checkpoint(self, body: bytes) -> tuple[int, str]:
        """Submit a signed head to the witness. Returns the status and the text of the answer.

        `body` is a request to `/add-checkpoint` of C2SP's tlog-witness protocol, as the register sends it.
        """
        async with http_client(self.url, 1) as http:
            answer = await http.post("/add-checkpoint", content=body)
        return answer.status_code, answer.text.strip()

    async def run(self, *arguments: str) -> str:
        """Run a `cekal witness` command in the witness's folder. Returns what it printed, whatever its exit code."""
        process = await asyncio.create_subprocess_exec(
            *command(("witness", *arguments)), cwd=self.folder, env=environment(), stdout=PIPE, stderr=STDOUT
        )
        printed, _ = await process.communicate()
        return printed.decode().strip()


@asynccontextmanager
async def witnessing(register: Path, log_keys: Sequence[VerifierKey]) -> AsyncIterator[DemoWitness]:
    """Run a witness in a process of its own during the block. Yields the witness.

    The file `register_policy` is written too; with it, the register sends its signed heads to this witness.

    Args:
        register: the register's folder; the witness keeps its files in a folder in it, new or existing.
        log_keys: the register's public keys, which the witness trusts.

    Raises:
        ServerDidNotStart: the witness ended or was not ready in time.
    """
    folder = _prepare(register, log_keys)
    port = any_free_port()
    url = f"http://{HOST}:{port}"
    policy, own = str(folder / POLICY), str(folder / _DATA)
    arguments = ("witness", "--policy", policy, "--data-dir", own, "--name", NAME, "--port", str(port))
    async with running(arguments, folder / "witness.log", f"{url}/healthz"):
        async with http_client(url, 1) as http:
            lines = (await http.get("/vkeys")).raise_for_status().text.splitlines()
        found = DemoWitness(folder.parent, url, tuple(VerifierKey.parse(line) for line in lines))
        found.register_policy.write_text(_register_policy(found), "utf-8")
        yield found


def _prepare(register: Path, log_keys: Sequence[VerifierKey]) -> Path:
    """Make the witness's folder with its policy. Returns its absolute path, since its commands run there."""
    folder = register.absolute() / FOLDER
    folder.mkdir(exist_ok=True)
    logs = "".join(f"log {key}\n" for key in log_keys)
    (folder / POLICY).write_text(f"{logs}quorum none\n", "utf-8")
    return folder


def _register_policy(witness: DemoWitness) -> str:
    """Return a policy whose quorum is the one witness, by either of its keys."""
    names = [f"ombudsman{number}" for number in range(1, len(witness.keys) + 1)]
    lines = [f"witness {name} {key} {witness.url}" for name, key in zip(names, witness.keys, strict=True)]
    return "\n".join([*lines, f"group ombudsman any {' '.join(names)}", "quorum ombudsman", ""])
