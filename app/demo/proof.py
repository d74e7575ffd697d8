"""The last scenes: a stranger verifies the ledger with public keys alone, and a witness refuses a fork."""

import asyncio
import re
import time
from dataclasses import dataclass
from typing import Any, Final

from app.demo.api_client import ApiClient
from app.demo.cast import Cast
from app.demo.narrator import Narrator
from app.demo.witness import FORK, NAME, POLICY, DemoWitness
from app.kit.canonical import canonical
from app.sync.heads.keyfiles import FOLDER as KEYS
from app.sync.heads.keyfiles import read_keys
from app.tlog.checkpoints import Checkpoint
from app.tlog.keys import SignatureInvalid, VerifierKey
from app.tlog.merkle import ProofInvalid, leaf_hash, root_of_leaves, verify_inclusion
from app.tlog.notes import Note
from app.tlog.signed import open_checkpoint, sign_checkpoint

_TRIES, _PAUSE = 40, 0.25
_PAGE: Final = 500
_CONFLICT: Final = 409


@dataclass(frozen=True, slots=True)
class Proof:
    """The last two steps of the demonstration, about proofs of the ledger. They use no data of earlier steps.

    A step checks claims. A false claim is recorded by the narrator and does not stop the step.

    Attributes:
        api: the public API.
        narrator: shows the requests and answers.
        cast: the clients of the register.
        witness: the witness that cosigns the register's heads.
    """

    api: ApiClient
    narrator: Narrator
    cast: Cast
    witness: DemoWitness

    async def verify_as_a_stranger(self) -> None:
        """Step 19: a stranger verifies the newest signed head and a record in it; a forged record is detected."""
        narrator, reader = self.narrator, self.cast.auditor
        narrator.step("A stranger verifies the ledger with the register's public keys alone")
        items = (await self.api.get(reader, "/v1/signing-keys", "the public keys, for anybody")).body["items"]
        keys = [VerifierKey.parse(each["vkey"]) for each in items]
        head = (await self.api.get(reader, "/v1/head", "the newest signed head")).body
        signed = open_checkpoint(Note.parse(head["checkpoint"].encode()), keys).signed
        narrator.received(f"200, {head['size']} records, signed at {head['signed_at']}")
        names = [key.kind.name for key in signed]
        narrator.claim("Three signatures of three keys hold", len(signed) == len(keys), names)
        query = {"sequence": 1, "size": head["size"]}
        proof = (await self.api.get(reader, "/v1/proofs/inclusion", "record 1", **query)).body
        (leaf,) = await self._leaves(1)
        narrator.received(f"200, a path of {len(proof['path'])} hashes to the signed root")
        narrator.claim(
            "The record is in the ledger that was signed", _is_below(leaf, proof, head), leaf["type"]
        )
        forged = _forged(leaf)
        narrator.claim("With another agency in it, it is not", not _is_below(forged, proof, head), forged)

    async def refuse_a_fork(self) -> None:
        """Step 20: the witness has cosigned the head, and refuses another history that the register's keys signed."""
        narrator, reader, witness = self.narrator, self.cast.auditor, self.witness
        narrator.step("The ombudsman's witness, a process apart, refuses a forked ledger")
        head = (await self.api.get(reader, "/v1/head", "who else has signed it?")).body
        for _ in range(_TRIES):
            if head["witnesses"]:
                break
            await asyncio.sleep(_PAUSE)
            head = (await self.api.get(reader, "/v1/head")).body
        narrator.received(f"200, {head['size']} records, cosigned by {_names(head)}")
        cosigned = _cosigners(head, witness.keys)
        narrator.claim(
            f"The head has both signatures of {NAME}", cosigned == set(witness.keys), len(cosigned)
        )

        narrator.sent(
            f"A forger with all keys of the register: POST {witness.url}/add-checkpoint - record 1 changed"
        )
        status, said = await self._offer_a_fork(head)
        narrator.received(f"{status}, {said}")
        narrator.claim("The witness does not cosign it", status == _CONFLICT, status)

        number = await self._newest_evidence()
        narrator.sent(f"Ombudsman: cekal witness evidence {number} > {FORK}")
        file = await witness.run("evidence", number)
        (witness.folder / FORK).write_text(f"{file}\n", "utf-8")
        narrator.sent(f"Anybody: cekal witness verify {FORK}, with the register's published keys")
        verdict = await witness.run("verify", FORK, "--policy", POLICY)
        narrator.received(verdict)
        narrator.claim(
            "Two heads that the register signed prove the fork", verdict == "Proved: two-roots.", verdict
        )

    async def _offer_a_fork(self, head: dict[str, Any]) -> tuple[int, str]:
        """Sign another first record with the register's own keys, and offer this past to the witness.

        The register may push a newer head at the same moment; then the fork is made again, of that size.
        """
        keys = read_keys(self.witness.register / KEYS)
        for _ in range(_TRIES):
            first, *rest = await self._leaves(head["size"])
            leaves = [leaf_hash(canonical(each)) for each in (_forged(first), *rest)]
            fork = Checkpoint(head["origin"], len(leaves), root_of_leaves(leaves))
            note = await asyncio.to_thread(sign_checkpoint, fork, keys, int(time.time()))
            status, said = await self.witness.add_checkpoint(f"old {fork.size}\n\n{note}".encode())
            if (status, said) == (_CONFLICT, str(fork.size)):  # the witness has a head of this size
                break
            head = (await self.api.get(self.cast.auditor, "/v1/head")).body
        return status, said

    async def _newest_evidence(self) -> str:
        """Return the number of the evidence that the witness kept last."""
        if self.cast.founded.checkpoints:  # a new register, whose witness is new too
            return "1"
        numbers: list[str] = re.findall(r"^ *(\d+) ", await self.witness.run("evidence"), re.MULTILINE)
        return numbers[-1]

    async def _leaves(self, size: int) -> list[dict[str, Any]]:
        """Return the leaves of the first so many records."""
        leaves: list[dict[str, Any]] = []
        after: dict[str, str] = {}
        while len(leaves) < size:
            limit = min(_PAGE, size - len(leaves))
            page = (await self.api.get(self.cast.auditor, "/v1/changes", limit=limit, **after)).body
            leaves += [each["leaf"] for each in page["items"]]
            after = {"after": page["cursor"]}
        return leaves


def _names(head: dict[str, Any]) -> str:
    return ", ".join(each["name"] for each in head["witnesses"]) or "nobody"


def _forged(leaf: dict[str, Any]) -> dict[str, Any]:
    return {**leaf, "agency": "BNN"}


def _cosigners(head: dict[str, Any], keys: tuple[VerifierKey, ...]) -> set[VerifierKey]:
    """Return the keys whose signatures of a head were verified."""
    try:
        return set(open_checkpoint(Note.parse(head["checkpoint"].encode()), keys).signed)
    except SignatureInvalid:
        return set()


def _is_below(leaf: dict[str, Any], proof: dict[str, Any], head: dict[str, Any]) -> bool:
    """Return whether a proof leads from a leaf to the root of a signed head."""
    path = [bytes.fromhex(step) for step in proof["path"]]
    try:
        verify_inclusion(
            proof["sequence"] - 1, head["size"], leaf_hash(canonical(leaf)), path, bytes.fromhex(head["root"])
        )
    except ProofInvalid:
        return False
    return True
