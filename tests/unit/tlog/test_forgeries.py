"""What nobody may get past the verifier: forged leaves, foreign roots, swapped paths, altered notes."""

import dataclasses

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.tlog import merkle
from app.tlog.checkpoints import Checkpoint
from app.tlog.keys import LATEST_TIME, KeyKind, SignatureInvalid, SigningKey, VerifierKey
from app.tlog.merkle import EMPTY_ROOT, ProofInvalid, leaf_hash
from app.tlog.notes import Note, NoteMalformed
from app.tlog.proofs import InclusionProof
from app.tlog.signed import open_checkpoint, sign_checkpoint
from tests.support.trees import GrownTree

ORIGIN, TIME = "log.example/1", 1_790_000_000
KEYS = [SigningKey.generate(kind) for kind in KeyKind]
TRUSTED = [key.verifier(ORIGIN) for key in KEYS]
TREE = GrownTree([b"%d" % number for number in range(60)])
NOTE = sign_checkpoint(TREE.head(ORIGIN), KEYS, TIME)

places = st.integers(0, 59)


def proof(index: int) -> InclusionProof:
    return InclusionProof(index, tuple(TREE.inclusion(index)), NOTE)


@settings(deadline=None)
@given(places)
def test_a_leaf_is_proved_by_every_key(index: int):
    opened = proof(index).verify(leaf_hash(b"%d" % index), TRUSTED)
    assert opened.checkpoint == TREE.head(ORIGIN)
    assert opened.signed == {TRUSTED[0]: None, TRUSTED[1]: TIME, TRUSTED[2]: TIME}


@settings(deadline=None)
@given(places, places)
def test_no_other_leaf_index_or_path_is(index: int, other: int):
    leaf = leaf_hash(b"%d" % index)
    if index != other:
        for wrong in (
            proof(other),
            dataclasses.replace(proof(index), index=other),
            dataclasses.replace(proof(index), path=proof(other).path),
        ):
            with pytest.raises(ProofInvalid):
                wrong.verify(leaf, TRUSTED)
    path = proof(index).path
    for wrong_path in (path[::-1], path[:-1], path[1:], (*path, leaf), ()):
        with pytest.raises(ProofInvalid):
            dataclasses.replace(proof(index), path=wrong_path).verify(leaf, TRUSTED)
    for place in (index + 60, 2**62):
        with pytest.raises(ProofInvalid):
            dataclasses.replace(proof(index), index=place).verify(leaf, TRUSTED)
    with pytest.raises(ProofInvalid):
        proof(index).verify(leaf_hash(b"%d!" % index), TRUSTED)


def test_an_inner_node_is_no_leaf():
    inside = merkle.node_hash(leaf_hash(b"0"), leaf_hash(b"1"))
    for index in (0, 1):
        with pytest.raises(ProofInvalid):
            merkle.verify_inclusion(index, 60, inside, TREE.inclusion(index)[1:], TREE.root())


def test_a_foreign_root_is_refused():
    other = GrownTree([b"x%d" % number for number in range(60)])
    note = sign_checkpoint(other.head(ORIGIN), KEYS, TIME)
    with pytest.raises(ProofInvalid):
        dataclasses.replace(proof(3), note=note).verify(leaf_hash(b"3"), TRUSTED)


def test_a_note_of_strangers_is_refused():
    strangers = [SigningKey.generate(kind) for kind in KeyKind]
    for trusted in ([key.verifier(ORIGIN) for key in strangers], [key.verifier("other") for key in KEYS], []):
        with pytest.raises(SignatureInvalid):
            proof(3).verify(leaf_hash(b"3"), trusted)


def test_signatures_of_strangers_are_ignored():
    strange = SigningKey.generate(KeyKind.ED25519).sign(ORIGIN, NOTE.text, 0)
    note = Note(NOTE.text, (strange, *NOTE.signatures, strange))
    assert set(open_checkpoint(note, TRUSTED).signed) == set(TRUSTED)


@pytest.mark.parametrize("at", range(3))
@pytest.mark.parametrize("damage", ["first", "last", "time", "cut", "empty", "text"])
def test_one_wrong_signature_of_a_trusted_key_spoils_the_note(at: int, damage: str):
    signatures = list(NOTE.signatures)
    text, data = NOTE.text, signatures[at].data
    match damage:
        case "first":
            data = bytes([data[0] ^ 1]) + data[1:]
        case "last":
            data = data[:-1] + bytes([data[-1] ^ 1])
        case "time":
            data = data[:7] + bytes([data[7] ^ 1]) + data[8:]
        case "cut":
            data = data[:-1]
        case "empty":
            data = data[:1]
        case _:
            text = str(Checkpoint(ORIGIN, 59, TREE.root()))
    signatures[at] = dataclasses.replace(signatures[at], data=data)
    with pytest.raises(SignatureInvalid):
        open_checkpoint(Note(text, tuple(signatures)), TRUSTED)


@pytest.mark.parametrize("kind", [KeyKind.TIMED_ED25519, KeyKind.TIMED_ML_DSA_44])
def test_a_time_beyond_the_largest_is_refused_even_when_it_is_signed(kind: KeyKind):
    key = SigningKey.generate(kind)
    for time in (0, LATEST_TIME):
        opened = open_checkpoint(sign_checkpoint(TREE.head(ORIGIN), [key], time), [key.verifier(ORIGIN)])
        assert list(opened.signed.values()) == [time]
    with pytest.raises(SignatureInvalid):
        open_checkpoint(sign_checkpoint(TREE.head(ORIGIN), [key], LATEST_TIME + 1), [key.verifier(ORIGIN)])


def test_a_key_of_one_kind_does_not_verify_as_another():
    key = SigningKey.generate(KeyKind.ED25519)
    plain = key.sign(ORIGIN, NOTE.text, TIME)
    timed = VerifierKey(ORIGIN, KeyKind.TIMED_ED25519, key.public)
    with pytest.raises(SignatureInvalid):
        timed.verify(NOTE.text, dataclasses.replace(plain, key_id=timed.key_id))


def test_ml_dsa_signs_no_extension_lines_and_ed25519_does():
    text = NOTE.text + "more\n"
    for trusted, signature in zip(TRUSTED, NOTE.signatures, strict=True):
        if trusted.kind is KeyKind.TIMED_ML_DSA_44:
            assert trusted.verify(text, signature) == TIME
        else:
            with pytest.raises(SignatureInvalid):
                trusted.verify(text, signature)


@given(st.data())
def test_a_cut_file_proves_nothing(data: st.DataObject):
    whole = str(proof(7)).encode()
    cut = whole[: data.draw(st.integers(0, len(whole) - 1))]
    try:
        opened = InclusionProof.parse(cut).verify(leaf_hash(b"7"), TRUSTED)
    except (NoteMalformed, ProofInvalid, SignatureInvalid):
        return
    assert opened.checkpoint == TREE.head(ORIGIN), "only later signatures may be missing"
    assert 1 <= len(opened.signed) < len(TRUSTED)


@pytest.mark.parametrize(
    ("old", "new", "old_root", "new_root"),
    [
        (0, 0, EMPTY_ROOT, bytes(32)), (0, 0, bytes(32), EMPTY_ROOT), (0, 0, bytes(32), bytes(32)),
        (0, 5, bytes(32), TREE.root(5)), (5, 5, TREE.root(5), TREE.root(6)), (5, 4, TREE.root(5), TREE.root(4)),
        (4, 5, TREE.root(4), TREE.root(5)), (-1, 5, EMPTY_ROOT, TREE.root(5)),
    ],
)  # fmt: skip
def test_trees_that_need_a_proof_or_contradict_each_other(
    old: int, new: int, old_root: bytes, new_root: bytes
):
    with pytest.raises(ProofInvalid):
        merkle.verify_consistency(old, new, old_root, new_root, [])


@pytest.mark.parametrize(("old", "new"), [(0, 0), (0, 5), (5, 5)])
def test_a_proof_where_none_is_needed_is_refused(old: int, new: int):
    merkle.verify_consistency(old, new, TREE.root(old), TREE.root(new), [])
    with pytest.raises(ProofInvalid):
        merkle.verify_consistency(old, new, TREE.root(old), TREE.root(new), [bytes(32)])
