"""The last scene: the ledger is verified with the register's public keys alone, as a stranger would do it."""

from typing import Any

from app.demo.api_client import ApiClient
from app.demo.cast import Holder
from app.demo.narrator import Narrator
from app.kit.canonical import canonical
from app.tlog.keys import VerifierKey
from app.tlog.merkle import ProofInvalid, leaf_hash, verify_inclusion
from app.tlog.notes import Note
from app.tlog.signed import open_checkpoint


async def verify_as_a_stranger(api: ApiClient, narrator: Narrator, reader: Holder, sequence: int) -> None:
    """Verify the newest signed head, and that a record is below its root; then try the same with a forged record.

    Args:
        api: the public API.
        narrator: shows what is done.
        reader: a client that may read the changes.
        sequence: the number of the record.
    """
    narrator.step("A stranger verifies the ledger with the register's public keys alone")
    items = (await api.get(reader, "/v1/signing-keys", "the public keys, for anybody")).body["items"]
    keys = [VerifierKey.parse(each["vkey"]) for each in items]
    head = (await api.get(reader, "/v1/head", "the newest signed head")).body
    signed = open_checkpoint(Note.parse(head["checkpoint"].encode()), keys).signed
    narrator.received(f"200, {head['size']} records, signed at {head['signed_at']}")
    names = [key.kind.name for key in signed]
    narrator.claim("Three signatures of three keys hold", len(signed) == len(keys), names)
    query = {"sequence": sequence, "size": head["size"]}
    proof = (await api.get(reader, "/v1/proofs/inclusion", f"record {sequence}", **query)).body
    page = (await api.get(reader, "/v1/changes", after=f"{head['epoch']}.{sequence - 1}", limit=1)).body
    leaf = page["items"][0]["leaf"]
    narrator.received(f"200, a path of {len(proof['path'])} hashes to the signed root")
    narrator.claim("The record is in the ledger that was signed", _is_below(leaf, proof, head), leaf["type"])
    forged = {**leaf, "agency": "BNN"}
    narrator.claim("With another agency in it, it is not", not _is_below(forged, proof, head), forged)


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
