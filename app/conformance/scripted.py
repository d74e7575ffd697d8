"""A ledger in memory, written by a script: records, signed heads and proofs as the register makes them."""

import hashlib
import secrets
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from app.conformance.digests import digest_of
from app.kit.canonical import canonical
from app.kit.clock import rfc3339
from app.tlog import merkle
from app.tlog.checkpoints import Checkpoint
from app.tlog.keys import KeyKind, SigningKey
from app.tlog.signed import sign_checkpoint

Json = dict[str, Any]

_NAME: Final = "rehearsal.example"
_VALID: Final = timedelta(minutes=3)
_ALGORITHMS: Final = {
    KeyKind.ED25519: "ed25519",
    KeyKind.TIMED_ED25519: "timed-ed25519",
    KeyKind.TIMED_ML_DSA_44: "timed-ml-dsa-44",
}


class ScriptedLedger:
    """An invented ledger for tests of consumers, with signed heads, proofs and snapshots; a script adds its records.

    Args:
        epoch: the ledger's epoch; None makes a random one.

    Attributes:
        epoch: the epoch in the ledger's cursors.
        records: its records, as the feed shows them.
        snapshot: the lines of its newest snapshot; empty before a digest is sealed.
        digest: the newest sealed digest, as `GET /v1/digest` answers it; empty before the first.
    """

    def __init__(self, epoch: str | None = None) -> None:
        self.epoch = epoch or secrets.token_hex(8)
        self.records: list[Json] = []
        self.snapshot: list[Json] = []
        self.digest: Json = {}
        self._keys = [SigningKey.generate(kind) for kind in KeyKind]
        self._made_at = datetime.now(UTC)
        self._nodes: dict[merkle.Node, bytes] = {}

    @property
    def size(self) -> int:
        """The number of records."""
        return len(self.records)

    @property
    def origin(self) -> str:
        """The log's name."""
        return f"{_NAME}/{self.epoch}"

    def add(
        self,
        kind: str,
        entry_id: str | None,
        version: int | None,
        *,
        tombstone: bool = False,
        withheld: str = "",
        **facts: Json,
    ) -> None:
        """Append a record about an invented person.

        Args:
            kind: the record's type, such as `entry.listed`.
            entry_id: the id of the entry that the record is about; None for a record about no entry.
            version: the entry's version; None for a record about no entry.
            tombstone: whether the entry must leave every copy.
            facts: further members of the leaf.
            withheld: why the feed does not show the personal part (`scope`, `erased`); empty if the feed shows it.
        """
        sequence, at = self.size + 1, rfc3339(datetime.now(UTC))
        personal = {
            "full_name": f"Uji Coba {entry_id} \N{LATIN SMALL LETTER E WITH ACUTE}",
            "note": f"v{version}",
        }
        salt = secrets.token_bytes(32)
        own = {
            "sequence": sequence,
            "type": kind,
            "at": at,
            "effective_at": None,
            "entry_id": entry_id,
            "version": version,
            "tombstone": tombstone,
        }
        commitment = hashlib.sha256(salt + canonical(personal)).hexdigest()
        leaf = {"v": 1, **own, "agency": "KPK", "commitment": commitment, **facts}
        shown = {"personal": personal, "salt": salt.hex(), "withheld": None}
        hidden = {"personal": None, "salt": None, "withheld": withheld}
        self.records.append({**own, "leaf": leaf, **(hidden if withheld else shown)})
        hashed = merkle.leaf_hash(canonical(leaf))
        siblings = {node: self._nodes[node] for node in merkle.needed(sequence - 1)}
        self._nodes |= merkle.completed(sequence - 1, hashed, siblings)

    def erase(self, entry_id: str, version: int) -> None:
        """Erase the personal parts of the entry's records, and append the record of the erasure as `version`."""
        for each in self.records:
            if each["entry_id"] == entry_id:
                each.update(personal=None, salt=None, withheld="erased")
        self.add("entry.erased", entry_id, version, withheld="erased")

    def restored(self, size: int) -> "ScriptedLedger":
        """Return the ledger as after a restore from a backup: in a new epoch, with the first `size` records.

        A record of type `register.restored` follows these records.
        """
        other = ScriptedLedger()
        other._keys = self._keys
        other.records = self.records[:size]
        other._nodes = {
            (level, index): node
            for (level, index), node in self._nodes.items()
            if (index + 1) << level <= size
        }
        other.add("register.restored", None, None)
        return other

    def entries(self) -> dict[str, Json]:
        """Return the content of a complete copy, by entry id: the newest leaf, and the personal part if it is shown."""
        held: dict[str, Json] = {}
        for each in self.records:
            if not each["type"].startswith("entry."):
                continue
            if each["tombstone"]:
                held.pop(each["entry_id"], None)
            else:
                held[each["entry_id"]] = {"leaf": each["leaf"], "personal": each["personal"]}
        return held

    def seal(self) -> None:
        """Compute the digest of the listed entries, append a record with it, and set `digest` and `snapshot`."""
        state, sequence = self._state(), self.size
        digest = digest_of(state)
        root, entries = digest.root.hex(), digest.entries
        facts = {"kind": "digest", "sequence": sequence, "entries": entries, "root": root}
        self.add("seal", None, None, withheld="scope", seal=facts)
        sealed = self.records[-1]
        first = {"origin": self.origin, "cursor": f"{self.epoch}.{sequence}", "sequence": sequence}
        proof = {"size": self.size, "path": self.inclusion(self.size, self.size)["path"]}
        last = {"entries": entries, "digest": root, "seal": sealed, "checkpoint": self.head()["checkpoint"]}
        count = {"count": len(state)}
        self.snapshot = [{**first, **count}, *map(dict, state), {**count, **last, **proof}]
        self.digest = {
            "sequence": sequence,
            "entries": entries,
            "records": digest.records,
            "root": root,
            "buckets": [bucket.hex() for bucket in digest.buckets],
            "seal": sealed["sequence"],
            "sealed_at": sealed["at"],
        }

    def _state(self) -> list[Json]:
        """Return each listed entry's newest record, by the entries' ids."""
        newest: dict[str, Json] = {}
        for each in self.records:
            if each["type"].startswith("entry."):
                newest[each["entry_id"]] = each
        return [newest[name] for name in sorted(newest) if not newest[name]["tombstone"]]

    @property
    def trusted_key(self) -> str:
        """The public Ed25519 key in base64: the part after the second `+` of its vkey."""
        key = next(key for key in self._keys if key.kind is KeyKind.ED25519)
        return str(key.verifier(self.origin)).split("+", 2)[2]

    def head(self) -> Json:
        """Return a newly signed head, as `GET /v1/head` answers it."""
        now = datetime.now(UTC)
        root = self._root(self.size)
        note = sign_checkpoint(Checkpoint(self.origin, self.size, root), self._keys, int(now.timestamp()))
        return {
            "origin": self.origin,
            "epoch": self.epoch,
            "size": self.size,
            "root": root.hex(),
            "checkpoint": str(note),
            "signed_at": rfc3339(now),
            "valid_until": rfc3339(now + _VALID),
            "witnesses": [],
        }

    def signing_keys(self) -> Json:
        """Return the public keys, as `GET /v1/signing-keys` answers them."""
        keys = [key.verifier(self.origin) for key in self._keys]
        used = {"origin": self.origin, "used_from": rfc3339(self._made_at), "used_until": None}
        return {
            "items": [
                {"algorithm": _ALGORITHMS[key.kind], "vkey": str(key), "key_id": key.key_id.hex(), **used}
                for key in keys
            ]
        }

    def inclusion(self, sequence: int, size: int) -> Json:
        """Return the audit path of a record in the ledger of this size, as `GET /v1/proofs/inclusion` answers it.

        Raises:
            IndexError: the ledger does not have this record or size.
        """
        self._expect(size)
        path = merkle.inclusion_path(sequence - 1, size, self._nodes)
        leaf = self._nodes[0, sequence - 1]
        proof = {"sequence": sequence, "size": size, "leaf_hash": leaf.hex()}
        return {**proof, "path": [step.hex() for step in path], "root": self._root(size).hex()}

    def consistency(self, old: int, new: int) -> Json:
        """Return the proof that the ledger of size `new` continues that of size `old`.

        It has the form of the answer to `GET /v1/proofs/consistency`.

        Raises:
            IndexError: the ledger does not have one of the sizes.
        """
        self._expect(new)
        path = merkle.consistency_path(old, new, self._nodes)
        roots = {"from_root": self._root(old).hex(), "to_root": self._root(new).hex()}
        return {"from_size": old, "to_size": new, **roots, "path": [step.hex() for step in path]}

    def _expect(self, size: int) -> None:
        if not 1 <= size <= self.size:
            raise IndexError("the ledger never had this size")

    def _root(self, size: int) -> bytes:
        return merkle.root([self._nodes[peak] for peak in merkle.peaks(size)])
