"""Logs that are witnessed, and `cekal witness` in a process of its own."""

import base64
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx2

from app.tlog.keys import KeyKind, SigningKey, VerifierKey
from app.tlog.notes import Note, parse_signatures
from app.tlog.signed import Opened, open_checkpoint, sign_checkpoint
from tests.support.running import Running, running
from tests.support.trees import GrownTree

ORIGIN = "register.example/1"


@dataclass
class Log:
    """A log with its keys and its tree."""

    tree: GrownTree
    origin: str = ORIGIN
    keys: list[SigningKey] = field(default_factory=lambda: [SigningKey.generate(kind) for kind in KeyKind])

    @property
    def vkeys(self) -> list[VerifierKey]:
        """Its public keys."""
        return [key.verifier(self.origin) for key in self.keys]

    @property
    def policy(self) -> str:
        """The lines of a policy that trusts it."""
        return "".join(f"log {key}\n" for key in self.vkeys)

    def note(self, size: int, time: int = 0) -> Note:
        """A signed head; without a time its timed signatures say nothing about when."""
        return sign_checkpoint(self.tree.head(self.origin, size), self.keys, time)

    def body(
        self,
        old: int,
        size: int,
        *,
        time: int = 0,
        note: Note | None = None,
        path: Sequence[bytes] | None = None,
    ) -> bytes:
        """A body of `add-checkpoint`."""
        path = self.tree.consistency(old, size) if path is None else path
        lines = [
            f"old {old}",
            *(base64.b64encode(step).decode() for step in path),
            "",
            str(note or self.note(size, time)),
        ]
        return "\n".join(lines).encode()

    def forked(self, at: int) -> "Log":
        """A log of the same keys whose leaves are others from an index on."""
        leaves = self.tree.leaves
        other = [*leaves[:at], *(leaf + b" other" for leaf in leaves[at:])]
        return Log(GrownTree(other), self.origin, self.keys)


def a_log(leaves: int, origin: str = ORIGIN) -> Log:
    """A log of some leaves."""
    return Log(GrownTree([b"leaf %d" % number for number in range(leaves)]), origin)


@dataclass(frozen=True)
class Served:
    """A witness that is being served."""

    process: Running
    http: httpx2.Client
    url: str

    def add(self, body: bytes) -> httpx2.Response:
        """Submits a head."""
        return self.http.post("/add-checkpoint", content=body)

    @property
    def vkeys(self) -> list[VerifierKey]:
        """Its public keys."""
        return [VerifierKey.parse(line) for line in self.http.get("/vkeys").text.splitlines()]

    def cosigned(self, note: Note, answer: httpx2.Response) -> Opened:
        """The head with the cosignatures of an answer, verified."""
        assert answer.status_code == httpx2.codes.OK, answer.text
        return open_checkpoint(Note(note.text, parse_signatures(answer.text)), self.vkeys)


@contextmanager
def witness(
    folder: Path, policy: str, *arguments: object, port: int = 0, **environment: object
) -> Iterator[Served]:
    """`cekal witness` of a folder for the block's length."""
    file = folder / "policy"
    file.write_text(policy + "quorum none\n")
    given = ("witness", "--policy", file, "--data-dir", folder / "data", "--port", port, *arguments)
    with running(*given, cwd=folder, **environment) as process:
        said = process.heard("ready")
        url = f"http://{said['host']}:{said['port']}"
        with httpx2.Client(base_url=url, timeout=30) as http:
            yield Served(process, http, url)
