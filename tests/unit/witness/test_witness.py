"""A witness without a network: its clock, its memory, and who it is."""

import dataclasses
import shutil
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.kit.clock import Machine
from app.kit.plausibility import Plausibility
from app.tlog.contradictions import Evidence
from app.tlog.keys import KeyKind
from app.tlog.notes import Note
from app.tlog.policy import Policy
from app.tlog.signed import open_checkpoint
from app.witness.domain import ClockDoubted, HeadConflict, HeadRefused, Submission, SubmissionMalformed
from app.witness.identity import IdentityRefused
from app.witness.service import Witness, open_witness
from app.witness.store import MOST_KEPT, Store, origin_hash
from tests.support.witnesses import ORIGIN, Log, a_log

LOG = a_log(300)
POLICY = Policy.parse((LOG.policy + "quorum none").encode())


class Clocks:
    """A machine's clocks, which a test sets."""

    def __init__(self) -> None:
        self.at = datetime(2026, 11, 30, tzinfo=UTC)
        self.up = 1000.0
        self.machine = Machine(lambda: self.at, lambda: self.up)

    def pass_time(self, seconds: float) -> None:
        """Let time pass as it does."""
        self.at += timedelta(seconds=seconds)
        self.up += seconds


@pytest.fixture
def clocks() -> Clocks:
    return Clocks()


@pytest.fixture
def opened(tmp_path: Path, clocks: Clocks) -> Callable[..., Witness]:
    def opened(name: str | None = None, policy: Policy = POLICY) -> Witness:
        doubts = Plausibility(clocks.machine, clocks.machine.wall)
        return open_witness(tmp_path / "data", policy, name, clocks.machine.wall, doubts)

    return opened


def test_nothing_is_cosigned_once_the_clock_was_set(opened: Callable[..., Witness], clocks: Clocks):
    witness = opened()
    witness.add_checkpoint(LOG.body(0, 10))
    clocks.pass_time(86_400)
    witness.add_checkpoint(LOG.body(10, 11))
    for minutes in (10, -20):
        clocks.at += timedelta(minutes=minutes)
        assert witness.doubt() is not None
        with pytest.raises(ClockDoubted):
            witness.add_checkpoint(LOG.body(11, 12))
        with pytest.raises(HeadConflict):
            witness.add_checkpoint(LOG.body(0, 12))
    clocks.at += timedelta(minutes=10)
    assert witness.doubt() is None
    witness.add_checkpoint(LOG.body(11, 12))


def test_times_of_cosignatures_never_go_back(opened: Callable[..., Witness], clocks: Clocks):
    witness = opened()
    times = []
    for size, step in enumerate((0, 1, -30, 0.2, 29), 1):
        clocks.at += timedelta(seconds=step)
        witness.add_checkpoint(LOG.body(size - 1, size))
        note = witness.latest(origin_hash(ORIGIN))
        assert note is not None
        times.append(set(open_checkpoint(note, witness.identity.vkeys).signed.values()))
    begun = int(datetime(2026, 11, 30, tzinfo=UTC).timestamp())
    assert times == [{begun}, {begun + 1}, {begun + 1}, {begun + 1}, {begun + 1}]


def test_only_so_much_evidence_is_kept(opened: Callable[..., Witness], tmp_path: Path):
    witness = opened()
    witness.add_checkpoint(LOG.body(0, 150))
    for size in range(151, 151 + MOST_KEPT + 20):
        with pytest.raises(HeadRefused):
            witness.add_checkpoint(LOG.body(150, size, path=[bytes(32)]))
    fork = LOG.forked(10)
    with pytest.raises(HeadRefused):
        witness.add_checkpoint(fork.body(150, 200))
    store = Store(tmp_path / "data", read_only=True)
    kinds = [each.kind for each in store.kept()]
    assert kinds == ["unproved"] * MOST_KEPT + ["other-leaves"]
    Evidence.parse(store.kept()[-1].file.encode()).verify(LOG.vkeys)


@pytest.mark.parametrize("old", [1, 2, 64, 128])
def test_after_a_power_of_two_another_past_is_refused_and_not_yet_proved(
    opened: Callable[..., Witness], tmp_path: Path, old: int
):
    """There the proof of RFC 9162 leaves out the subtree that would prove it."""
    witness, fork = opened(), LOG.forked(0)
    witness.add_checkpoint(LOG.body(0, old))
    with pytest.raises(HeadRefused):
        witness.add_checkpoint(fork.body(old, 200))
    store = Store(tmp_path / "data", read_only=True)
    assert [each.kind for each in store.kept()] == ["unproved"]
    whole = [fork.tree.nodes[old.bit_length() - 1, 0], *fork.tree.consistency(old, 200)]
    with pytest.raises(HeadRefused):  # with that subtree it is no proof of RFC 9162, and proves the fork
        witness.add_checkpoint(fork.body(old, 200, path=whole))
    assert [each.kind for each in store.kept()] == ["unproved", "other-leaves"]
    Evidence.parse(store.kept()[-1].file.encode()).verify(LOG.vkeys)


def test_a_log_may_change_its_keys(opened: Callable[..., Witness], tmp_path: Path):
    rotated = dataclasses.replace(a_log(1), tree=LOG.tree)
    witness = opened()
    witness.add_checkpoint(LOG.body(0, 10))
    witness.trust(Policy.parse((LOG.policy + rotated.policy + "quorum none").encode()))
    both = Note(LOG.note(20).text, (*LOG.note(20).signatures, *rotated.note(20).signatures))
    witness.add_checkpoint(LOG.body(10, 20, note=both))
    witness.trust(Policy.parse((rotated.policy + "quorum none").encode()))
    witness.add_checkpoint(rotated.body(20, 30))
    witness.trust(POLICY)
    with pytest.raises(HeadRefused):  # by keys that it did not verify the former head with
        witness.add_checkpoint(LOG.forked(5).body(30, 40))


def test_two_logs_are_apart(opened: Callable[..., Witness]):
    other = a_log(30, "other.example")
    witness = opened(policy=Policy.parse((LOG.policy + other.policy + "quorum none").encode()))
    witness.add_checkpoint(LOG.body(0, 10))
    witness.add_checkpoint(other.body(0, 20))
    witness.add_checkpoint(LOG.body(10, 11))
    with pytest.raises(HeadConflict) as conflict:
        witness.add_checkpoint(other.body(11, 25))
    assert conflict.value.size == 20


def test_without_its_memory_it_does_not_start(opened: Callable[..., Witness], tmp_path: Path):
    opened("w.example").add_checkpoint(LOG.body(0, 10))
    for file in (tmp_path / "data").glob("witness.db*"):
        file.unlink()
    with pytest.raises(IdentityRefused, match="memory is gone"):
        opened()
    shutil.rmtree(tmp_path / "data" / "keys")
    assert opened("new.example").identity.name == "new.example"


def test_it_is_who_it_was(opened: Callable[..., Witness], tmp_path: Path):
    with pytest.raises(IdentityRefused, match="like a host"):
        opened("two words")
    assert not (tmp_path / "data" / "keys").exists(), "and nothing was made"
    first = opened("w.example").identity
    assert [key.kind for key in first.keys] == [KeyKind.TIMED_ED25519, KeyKind.TIMED_ML_DSA_44]
    assert opened().identity.vkeys == opened("w.example").identity.vkeys == first.vkeys
    with pytest.raises(IdentityRefused, match="never changed"):
        opened("other.example")
    key = tmp_path / "data" / "keys" / "ed25519.pem"
    own = key.read_bytes()
    for text, said in ((LOG.keys[1].to_pem(), "not this witness's"), (b"no key", "not a private key")):
        key.write_bytes(text)
        with pytest.raises(IdentityRefused, match=said):
            opened()
    key.write_bytes(own)
    key.chmod(0o640)
    with pytest.raises(IdentityRefused, match="chmod 600"):
        opened()
    key.unlink()
    with pytest.raises(IdentityRefused, match="is missing"):
        opened()


@given(st.binary() | st.text("old 0123\n\n—=", max_size=90).map(str.encode))
def test_garbage_is_malformed(data: bytes):
    for body in (data, b"old 0\n" + data, b"old 0\n\n" + data):
        with pytest.raises(SubmissionMalformed):
            Submission.parse(body)


@given(st.integers(0, 299), st.data())
def test_a_body_is_read_as_it_was_written(old: int, data: st.DataObject):
    size = data.draw(st.integers(old, 300))
    note = Log.note(LOG, 7)
    submission = Submission.parse(LOG.body(old, size, note=note))
    assert (submission.old_size, submission.note, submission.checkpoint.size) == (old, note, 7)
    assert list(submission.path) == LOG.tree.consistency(old, size)
