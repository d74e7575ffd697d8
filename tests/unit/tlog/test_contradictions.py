"""Two signed heads prove that a log contradicts itself, and nothing less does."""

import dataclasses

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.tlog.contradictions import Contradiction, Evidence
from app.tlog.keys import KeyKind, SignatureInvalid, SigningKey
from app.tlog.merkle import ProofInvalid, peaks
from app.tlog.notes import Note, NoteMalformed
from app.tlog.signed import sign_checkpoint
from tests.support.trees import GrownTree

ORIGIN = "log.example/1"
KEYS = [SigningKey.generate(kind) for kind in KeyKind]
TRUSTED = [key.verifier(ORIGIN) for key in KEYS]
HONEST = GrownTree([b"%d" % number for number in range(40)])
FORKED = GrownTree([b"%d" % number for number in range(20)] + [b"other %d" % number for number in range(20)])


def note(tree: GrownTree, size: int, time: int = 1000, keys: list[SigningKey] = KEYS) -> Note:
    return sign_checkpoint(tree.head(ORIGIN, size), keys, time)


def path(tree: GrownTree, old: int, new: int) -> tuple[bytes, ...]:
    """A consistency proof with its first subtree even where RFC 9162 leaves it out."""
    first = [tree.nodes[peaks(old)[0]]] if old & (old - 1) == 0 else []
    return (*first, *tree.consistency(old, new))


def test_two_roots_of_one_size():
    evidence = Evidence(note(HONEST, 30), note(FORKED, 30))
    assert evidence.verify(TRUSTED) is Contradiction.TWO_ROOTS
    assert Evidence.parse(str(evidence).encode()) == evidence
    assert Evidence(note(HONEST, 30), note(FORKED, 30, keys=KEYS[:1])).verify(TRUSTED[:1])


@settings(deadline=None)
@given(st.integers(1, 39), st.data())
def test_a_larger_tree_with_other_leaves(old: int, data: st.DataObject):
    new = data.draw(st.integers(old + 1, 40))
    evidence = Evidence(note(HONEST, old), note(FORKED, new), path(FORKED, old, new))
    if old > 20:
        assert evidence.verify(TRUSTED) is Contradiction.OTHER_LEAVES
        assert Evidence.parse(str(evidence).encode()) == evidence
        assert Evidence.parse(str(evidence).encode()).verify(TRUSTED) is Contradiction.OTHER_LEAVES
    else:
        with pytest.raises(ProofInvalid):
            evidence.verify(TRUSTED)


@settings(deadline=None)
@given(st.integers(1, 39), st.data())
def test_nobody_can_accuse_an_honest_log(old: int, data: st.DataObject):
    """Whatever is written as the proof: two heads of one tree never contradict each other."""
    new = data.draw(st.integers(old, 40))
    hashes = st.sampled_from([*HONEST.nodes.values(), *FORKED.nodes.values(), bytes(32)])
    wrong = data.draw(
        st.lists(hashes, max_size=8)
        | st.permutations(path(HONEST, old, new) if old < new else [])
        | st.just(list(path(FORKED, old, new) if old < new else ()))
    )
    with pytest.raises(ProofInvalid):
        Evidence(note(HONEST, old), note(HONEST, new, 1001), tuple(wrong)).verify(TRUSTED)


def test_a_failing_proof_between_two_heads_proves_nothing():
    for wrong in ((), path(HONEST, 30, 35), (bytes(32),) * 6):
        with pytest.raises(ProofInvalid):
            Evidence(note(HONEST, 30), note(FORKED, 35), wrong).verify(TRUSTED)


def test_a_smaller_tree_that_was_signed_later_as_the_largest():
    assert Evidence(note(HONEST, 20, 2000), note(HONEST, 30, 1000)).verify(TRUSTED) is Contradiction.ROLLBACK
    for earlier in (999, 1000):
        with pytest.raises(ProofInvalid):
            Evidence(note(HONEST, 20, earlier), note(HONEST, 30, 1000)).verify(TRUSTED)


def test_plain_signatures_and_two_keys_prove_no_rollback():
    """A plain signature has no time, and two keys may be on machines whose clocks differ."""
    for first, second in ((KEYS[:1], KEYS[:1]), (KEYS[1:2], KEYS[2:]), (KEYS[:2], KEYS[2:])):
        with pytest.raises(ProofInvalid):
            Evidence(note(HONEST, 20, 2000, first), note(HONEST, 30, 1000, second)).verify(TRUSTED)


def test_heads_of_other_logs_or_strangers_accuse_nobody():
    stranger = [SigningKey.generate(KeyKind.ED25519)]
    with pytest.raises(SignatureInvalid):
        Evidence(note(HONEST, 30), note(FORKED, 30, keys=stranger)).verify(TRUSTED)
    elsewhere = sign_checkpoint(FORKED.head("other.example", 30), stranger, 0)
    with pytest.raises(ProofInvalid, match="two logs"):
        Evidence(note(HONEST, 30), elsewhere).verify([*TRUSTED, stranger[0].verifier("other.example")])
    theirs = Note(elsewhere.text, (KEYS[0].sign(ORIGIN, elsewhere.text, 0),))
    with pytest.raises(SignatureInvalid):  # the log's key signed another origin: not as that origin's key
        Evidence(note(HONEST, 30), theirs).verify(TRUSTED)


def test_the_larger_head_comes_second():
    with pytest.raises(ProofInvalid):
        Evidence(note(FORKED, 35), note(HONEST, 30), path(FORKED, 30, 35)).verify(TRUSTED)


@given(st.data())
def test_a_cut_or_foreign_file_is_no_evidence(data: st.DataObject):
    evidence = Evidence(note(HONEST, 30), note(FORKED, 35), path(FORKED, 30, 35))
    whole = str(evidence).encode()
    cut = whole[: data.draw(st.integers(0, len(whole) - 1))]
    try:
        read = Evidence.parse(cut)
    except NoteMalformed:
        return
    assert read == dataclasses.replace(evidence, larger=read.larger), "only later signatures may be missing"
    assert set(read.larger.signatures) < set(evidence.larger.signatures)


@given(st.binary() | st.text("cekal/log-evidence@v1\n — A=", max_size=200).map(str.encode))
def test_garbage_is_no_evidence(data: bytes):
    with pytest.raises(NoteMalformed):
        Evidence.parse(data)
    with pytest.raises(NoteMalformed):
        Evidence.parse(b"cekal/log-evidence@v1\n" + data)
