"""Letters' codes and their verifiers: proofs that a register with witnesses would give, and the programs that judge."""

import hashlib
import io
import runpy
import subprocess
import sys
from collections.abc import Sequence
from contextlib import redirect_stdout
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path

from app.casework.papers.domain import LetterHead, Standing
from app.kit.canonical import canonical
from app.ledger.domain import Record
from app.tlog.checkpoints import Checkpoint
from app.tlog.keys import KeyKind, SigningKey
from app.tlog.merkle import leaf_hash
from app.tlog.notes import Note

ORIGIN = "cekal.imigrasi.example/8c1f0a3b5d7e9f21"
WITNESSES = ("saksi.ombudsman.example", "saksi.bpk.example")
SIGNED_AT = 1_795_402_801
PROGRAMS = files("app.casework.papers.evidence") / "data"


def key() -> SigningKey:
    return SigningKey.generate(KeyKind.TIMED_ED25519)


@dataclass
class Ledger:
    """A ledger of a given size with its key and its witnesses; its other leaves are invented hashes."""

    size: int = 1_000_000
    origin: str = ORIGIN
    log: SigningKey = field(default_factory=key)
    witnesses: dict[str, SigningKey] = field(default_factory=lambda: {name: key() for name in WITNESSES})

    @property
    def policy(self) -> str:
        """The policy of a reader who trusts the log and asks for every witness."""
        lines = [f"log {self.log.verifier(self.origin)}"]
        lines += [
            f"witness w{i} {each.verifier(name)}" for i, (name, each) in enumerate(self.witnesses.items())
        ]
        members = " ".join(f"w{i}" for i in range(len(self.witnesses)))
        return "\n".join([*lines, f"group all all {members}", "quorum all", ""])

    def path(self, sequence: int) -> list[bytes]:
        """An audit path of the right length."""
        at, last, steps = sequence - 1, self.size - 1, []
        while last:
            if at & 1 or at < last:
                steps.append(hashlib.sha256(b"%d %d" % (sequence, len(steps))).digest())
            at, last = at >> 1, last >> 1
        return steps

    def root(self, leaf: bytes, sequence: int, path: Sequence[bytes]) -> bytes:
        """The root to which a path leads, from the bits of the index (RFC 9162 section 2.1.3.2)."""
        at, last, here, steps = sequence - 1, self.size - 1, leaf_hash(leaf), iter(path)
        while last:
            if at & 1:
                here = hashlib.sha256(b"\1" + next(steps) + here).digest()
            elif at < last:
                here = hashlib.sha256(b"\1" + here + next(steps)).digest()
            at, last = at >> 1, last >> 1
        return here

    def head(
        self, record: Record, witnesses: Sequence[str] | None = None, standing: Standing = Standing.WITNESSED
    ) -> tuple[LetterHead, list[bytes]]:
        """A head that covers a record, cosigned by some witnesses, and the record's path to it."""
        path = self.path(record.sequence)
        root = self.root(canonical(record.leaf), record.sequence, path)
        text = str(Checkpoint(self.origin, self.size, root))
        signers = {
            name: each for name, each in self.witnesses.items() if witnesses is None or name in witnesses
        }
        signed = [
            each.sign(name, text, SIGNED_AT) for name, each in ({self.origin: self.log} | signers).items()
        ]
        return LetterHead(standing, self.size, Note(text, tuple(signed))), path


def judged(folder: Path, policy: str, code: str) -> tuple[int, str]:
    """The exit code and the words of the program for letters about a code, run in this process."""
    program = _placed(folder, policy, code)
    said, before = io.StringIO(), sys.argv
    sys.argv = ["verify.py", str(folder / "policy"), str(folder / "code.txt")]
    try:
        with redirect_stdout(said):
            runpy.run_path(str(program), run_name="__main__")
    except SystemExit as ended:
        return 1, f"{said.getvalue()}{ended.code}\n"
    finally:
        sys.argv = before
    return 0, said.getvalue()


def judged_apart(folder: Path, policy: str, code: str) -> tuple[int, str]:
    """The same of a process of its own, as a stranger runs it: with `cryptography`, and away from all code of ours."""
    _placed(folder, policy, code)
    command = [sys.executable, "-E", "-s", "verify.py", "policy", "code.txt"]
    said = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=60)
    return said.returncode, said.stdout + said.stderr


def _placed(folder: Path, policy: str, code: str) -> Path:
    (folder / "verify.py").write_text((PROGRAMS / "verify.txt").read_text())
    (folder / "policy").write_text(policy)
    (folder / "code.txt").write_text(code)
    return folder / "verify.py"


def content_of(code: str) -> bytes:
    """The bytes of a code."""
    number = int(code.removeprefix("CEKAL/2/"))
    return number.to_bytes((number.bit_length() + 7) // 8, "big")


def code_of(data: bytes) -> str:
    """A code of some bytes."""
    return f"CEKAL/2/{int.from_bytes(data, 'big')}"
