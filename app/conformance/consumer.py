"""Checks of a consumer of the feed, a program that keeps a copy of it: what its copy contains while the service fails.

A record has a leaf, which the ledger's hashes cover, and often a personal part, to which the leaf commits by a salted
hash. A tombstone is a record that removes its entry from every copy.

Each check changes the scripted service, waits for the consumer, and returns one sentence about what was seen. A check
raises Failed if the consumer breaks the promise, and Skipped if the promise can't be checked.
"""

import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from app.conformance.findings import Check, Checks, Finding, Skipped, examine
from app.conformance.rehearsal import Rehearsal, difference
from app.conformance.scripted import Json, ScriptedLedger
from app.conformance.session import expect
from app.conformance.stage import Fault, Stage, serving

consumer = Checks[Rehearsal]()

PATIENCE: Final = 45.0
"""Seconds that a consumer gets for a step: it may wait half a minute before it comes back."""

SILENCE: Final = 45.0
"""Seconds without a byte, three heartbeats, after which a line is dead."""

_PAUSE: Final = 1
"""Seconds of `Retry-After`."""

_MEANWHILE_SECONDS: Final = 1.0
"""Seconds in which a consumer that reads all anew would put the new copy in the place of the old one too early."""

_ALWAYS: Final = 1000
"""Times that altered records are sent: more often than a consumer comes back within the patience."""

_EARLY: Final = 0.05
"""Seconds by which a request may come before the end of a pause: two clocks are compared."""


class ConsumerRefused(RuntimeError):
    """The consumer can't be run; the message gives the reason."""


@consumer.promise("first-copy", "A copy is made from the beginning, and later versions replace earlier ones.")
def copy(rehearsal: Rehearsal) -> str:
    """Check that the consumer reads the feed from its beginning and keeps the newest version of each entry.

    Returns one sentence about what was seen. Raises Failed if the check fails.
    """
    with rehearsal.stage.changing(ledger=rehearsal.ledger) as ledger:
        ledger.add("entry.listed", "ent_a", 1)
        ledger.add("alert.raised", "ent_a", 1)
        ledger.add("entry.provisional", "ent_b", 1)
        ledger.add("entry.listed", "ent_c", 1)
        ledger.add("seal", None, None, withheld="scope")
        ledger.add("entry.extended", "ent_a", 2)
    rehearsal.begin()
    found = rehearsal.settle()
    first = rehearsal.stage.asked[0].after
    expect(first is None, f"The first request asks behind {first}.")
    return f"{len(found)} entries of {rehearsal.ledger.size} records."


@consumer.promise(
    "withheld", "A record without its personal part counts, and its entry is held.", "first-copy"
)
def take_withheld(rehearsal: Rehearsal) -> str:
    """Check that the consumer's copy contains an entry that came without its personal part.

    Returns one sentence about what was seen. Raises Failed if the check fails.
    """
    rehearsal.begin()
    with rehearsal.stage.changing() as ledger:
        ledger.add("entry.listed", "ent_d", 1, withheld="scope")
    return f"{len(rehearsal.settle())} entries, one of them without its personal part."


@consumer.promise("tombstone", "A tombstone takes its entry out.", "first-copy")
def take_out(rehearsal: Rehearsal) -> str:
    """Check that the consumer removes an ended entry from its copy.

    Returns one sentence about what was seen. Raises Failed if the check fails.
    """
    rehearsal.begin()
    with rehearsal.stage.changing() as ledger:
        ledger.add("entry.ended", "ent_b", 2, tombstone=True)
    return f"{len(rehearsal.settle())} entries; the one that ended is not among them."


@consumer.promise("erased", "An erased record takes the personal part out of the copy.", "first-copy")
def forget(rehearsal: Rehearsal) -> str:
    """Check that the consumer removes an erased person's data from its copy, and keeps the entry.

    Returns one sentence about what was seen. Raises Failed if the check fails.
    """
    rehearsal.begin()
    with rehearsal.stage.changing() as ledger:
        ledger.erase("ent_c", 2)
    rehearsal.settle()
    return "The entry is held, and nothing of the person."


@consumer.promise(
    "cut",
    "After a line that is cut within a record nothing is missing and nothing is taken twice.",
    "first-copy",
)
def cut(rehearsal: Rehearsal) -> str:
    """Check that the consumer's copy becomes complete after a connection was cut within a record.

    Returns one sentence about what was seen. Raises Failed if the check fails.
    """
    rehearsal.begin()
    fault = Fault(cut_after=1)
    with rehearsal.stage.changing(fault) as ledger:
        ledger.add("entry.corrected", "ent_a", 3)
        ledger.add("entry.listed", "ent_e", 1)
        ledger.add("entry.corrected", "ent_a", 4)
    rehearsal.settle()
    seconds, after = rehearsal.came_back(fault)
    return f"It came back after {seconds:.1f} s, behind {after}, and has every record."


@consumer.promise("duplicate", "A record that comes twice changes nothing the second time.", "first-copy")
def repeat(rehearsal: Rehearsal) -> str:
    """Check that a record that is sent twice changes the consumer's copy only once.

    Returns one sentence about what was seen. Raises Failed if the check fails.
    """
    rehearsal.begin()
    size = rehearsal.ledger.size
    again = [dict(each) for each in rehearsal.ledger.records[size - 3 :]]
    with rehearsal.stage.changing(Fault(alter=lambda records: [*again, *records, *records])) as ledger:
        ledger.add("entry.listed", "ent_g", 1)
    rehearsal.settle()
    return "Four records came twice, and the copy is as after once."


def _patience_of(rehearsal: Rehearsal, status: int, slug: str) -> str:
    rehearsal.begin()
    fault = Fault(status, slug, retry_after=_PAUSE)
    with rehearsal.stage.changing(fault) as ledger:
        ledger.add("entry.listed", f"ent_{status}", 1)
    rehearsal.settle()
    seconds, _ = rehearsal.came_back(fault)
    expect(
        seconds >= _PAUSE - _EARLY,
        f"It came back after {seconds:.2f} s, before the {_PAUSE} s of Retry-After.",
    )
    return f"It came back after {seconds:.1f} s."


@consumer.promise("unavailable", "After 503 it waits Retry-After, and goes on.", "first-copy")
def wait_for_the_service(rehearsal: Rehearsal) -> str:
    """Check that after a 503 the consumer waits the seconds in `Retry-After`, and then continues.

    Returns one sentence about what was seen. Raises Failed if the check fails.
    """
    return _patience_of(rehearsal, 503, "unavailable")


@consumer.promise("rate-limited", "After 429 it waits Retry-After, and goes on.", "first-copy")
def wait_for_its_turn(rehearsal: Rehearsal) -> str:
    """Check that after a 429 the consumer waits the seconds in `Retry-After`, and then continues.

    Returns one sentence about what was seen. Raises Failed if the check fails.
    """
    return _patience_of(rehearsal, 429, "rate-limited")


@consumer.promise(
    "restored",
    "After 410 all is read anew, the old copy answers until the new one is complete.",
    "first-copy",
)
def restore(rehearsal: Rehearsal) -> str:
    """Check that the consumer makes a new copy after a 410, and shows the old one until the new one is complete.

    Returns one sentence about what was seen. Raises Failed if the check fails.
    """
    rehearsal.begin()
    old = rehearsal.ledger.entries()
    restored = rehearsal.ledger.restored(4)
    gone, incomplete = Fault(), Fault(incomplete=True)
    with rehearsal.stage.changing(gone, incomplete, ledger=restored) as ledger:
        ledger.add("entry.listed", "ent_f", 1)
    rehearsal.ledger = restored
    stage = rehearsal.stage
    rehearsal.wait_for(lambda: not stage.waits, "It did not begin anew.")
    again = next(each.after for each in stage.asked if each.fault is incomplete)
    expect(again is None, f"After 410 it asks behind {again} in place of from the beginning.")
    time.sleep(_MEANWHILE_SECONDS)
    meanwhile = rehearsal.shown()
    expect(meanwhile == old, f"While it reads anew {difference(old, meanwhile)}")
    with stage.changing():  # from now on a heartbeat says that the copy is complete
        pass
    return (
        f"{len(rehearsal.settle())} entries of the restored register; before, the {len(old)} of the old copy."
    )


def _alarm(rehearsal: Rehearsal, alter: Callable[[list[Json]], list[Json]]) -> str:
    """Send two new records altered, each time that the consumer asks, until it has stopped."""
    rehearsal.begin()
    before = rehearsal.settle()
    size = rehearsal.ledger.size
    with rehearsal.stage.changing(*[Fault(alter=alter)] * _ALWAYS) as ledger:
        for number in (size + 1, size + 2):
            ledger.add("entry.listed", f"ent_x{number}", 1)
    return f"It stopped: {rehearsal.ended(before)}"


@consumer.promise(
    "forged-personal", "A personal part to which the leaf does not commit stops it.", "first-copy"
)
def forge_a_person(rehearsal: Rehearsal) -> str:
    """Check that the consumer stops at a record whose personal part does not fit the commitment in its leaf.

    Returns one sentence about what was seen. Raises Failed if the check fails.
    """
    return _alarm(
        rehearsal, lambda records: [{**each, "personal": {"full_name": "Orang Lain"}} for each in records]
    )


@consumer.promise("forged-leaf", "A record that says something else than its leaf stops it.", "first-copy")
def forge_a_leaf(rehearsal: Rehearsal) -> str:
    """Check that the consumer stops at a record whose members differ from its leaf.

    Returns one sentence about what was seen. Raises Failed if the check fails.
    """
    return _alarm(
        rehearsal, lambda records: [{**each, "leaf": {**each["leaf"], "version": 9}} for each in records]
    )


@consumer.promise("gap", "A missing number stops it.", "first-copy")
def leave_a_gap(rehearsal: Rehearsal) -> str:
    """Check that the consumer stops if a record of the feed is missing.

    Returns one sentence about what was seen. Raises Failed if the check fails.
    """
    return _alarm(rehearsal, lambda records: records[1:])


@consumer.promise(
    "silence",
    "After 45 s without a byte (INTEGRATOR_SILENCE) it opens another line.",
    "first-copy",
)
def fall_silent(rehearsal: Rehearsal) -> str:
    """Check that the consumer opens another connection once its present one has brought no byte for too long.

    Returns one sentence about what was seen. Raises Failed if the check fails.
    """
    rehearsal.begin()
    mute = Fault(mute=True)
    with rehearsal.stage.changing(mute) as ledger:
        ledger.add("entry.listed", "ent_h", 1)
    stage = rehearsal.stage
    rehearsal.wait_for(lambda: not stage.waits, "It did not come back.")
    again = f"It still waits on a line that has been silent for {rehearsal.silence:g} s."
    rehearsal.wait_for(lambda: stage.asked[-1].fault is not mute, again, rehearsal.silence)
    seconds, _ = rehearsal.came_back(mute)
    rehearsal.settle()
    return f"It opened another line after {seconds:.1f} s of silence, and has every record."


@consumer.promise("snapshot", "A new copy begins with a snapshot, and goes on behind it.", "first-copy")
def take_a_snapshot(rehearsal: Rehearsal) -> str:
    """Check that the consumer begins a new copy with a snapshot, and reads the feed after the snapshot's cursor.

    Returns one sentence about what was seen. Raises Failed if the check fails, Skipped if the consumer takes no
    snapshots.
    """
    rehearsal.forget()
    with rehearsal.stage.changing() as ledger:
        ledger.seal()
        ledger.add("entry.listed", "ent_s", 1)
    before, read = len(rehearsal.stage.asked), rehearsal.stage.snapshots
    rehearsal.begin()
    found = rehearsal.settle()
    if rehearsal.stage.snapshots == read:
        raise Skipped("It takes no snapshots: a new copy reads the feed from its first record.")
    after = rehearsal.stage.asked[before].after
    cursor = rehearsal.ledger.snapshot[0]["cursor"]
    expect(after == cursor, f"It asks behind {after}, and the snapshot's cursor is {cursor}.")
    return f"{len(found)} entries; it went on behind {cursor}."


@consumer.promise("snapshot-cut", "Nothing is taken of a snapshot that was cut.", "snapshot")
def cut_a_snapshot(rehearsal: Rehearsal) -> str:
    """Check that the consumer uses no part of a snapshot that is cut within a line or between two lines.

    Returns one sentence about what was seen. Raises Failed if the check fails.
    """
    rehearsal.forget()
    asked, read = len(rehearsal.stage.asked), rehearsal.stage.snapshots
    cuts = Fault(cut_after=2), Fault(alter=lambda lines: lines[:2])
    with rehearsal.stage.changing(snapshots=cuts):
        pass
    rehearsal.begin(keep_faults=True)
    rehearsal.settle()
    times = rehearsal.stage.snapshots - read
    after = rehearsal.stage.asked[asked].after
    expect(times > len(cuts) or after is None, f"It went on behind {after}, after a snapshot that was cut.")
    return f"It asked {times} times for a snapshot, and has every record."


def _refuse(rehearsal: Rehearsal, alter: Callable[[list[Json]], list[Json]]) -> str:
    """Offer a snapshot altered, each time that the consumer asks, until it has stopped with an empty copy."""
    rehearsal.forget()
    with rehearsal.stage.changing(snapshots=[Fault(alter=alter)] * _ALWAYS):
        pass
    rehearsal.begin(keep_faults=True)
    return f"It stopped: {rehearsal.ended({})}"


@consumer.promise("snapshot-forged", "A snapshot whose last line does not prove it stops it.", "snapshot")
def forge_a_snapshot(rehearsal: Rehearsal) -> str:
    """Check that the consumer stops at a snapshot that lacks an entry, though its counts fit its lines.

    Returns one sentence about what was seen. Raises Failed if the check fails.
    """

    def without_one(lines: list[Json]) -> list[Json]:
        first, _, *records, last = lines
        count = {"count": len(records)}
        return [{**first, **count}, *records, {**last, **count, "entries": len(records)}]

    return _refuse(rehearsal, without_one)


@consumer.promise("snapshot-foreign", "A snapshot that another register has signed stops it.", "snapshot")
def send_a_foreign_snapshot(rehearsal: Rehearsal) -> str:
    """Check that the consumer stops at a snapshot that another register of the same name has signed.

    Returns one sentence about what was seen. Raises Failed if the check fails.
    """
    other = ScriptedLedger(rehearsal.ledger.epoch)
    other.add("entry.listed", "ent_z", 1)
    other.seal()
    return _refuse(rehearsal, lambda _: other.snapshot)


@consumer.promise("key-revoked", "After 401 it stops.", "first-copy")
def revoke(rehearsal: Rehearsal) -> str:
    """Check that the consumer stops, and leaves its copy unchanged, once its key is refused.

    Returns one sentence about what was seen. Raises Failed if the check fails.
    """
    rehearsal.begin()
    before = rehearsal.settle()
    rehearsal.stage.replace_key()
    return f"It stopped: {rehearsal.ended(before)}"


CHECKS: Final = tuple(consumer.all)
"""Every check of a consumer, in the order in which they are made."""

_BROKEN: Final[dict[type[Exception], str]] = {
    OSError: "The command can't be run",
    LookupError: "A line of `show` lacks a member",
    TypeError: "A line of `show` is no object",
    ValueError: "`show` prints something else than lines of JSON",
}


def examine_consumer(
    command: Sequence[str],
    patience: float = PATIENCE,
    checks: Sequence[Check[Rehearsal]] = CHECKS,
    silence: float = SILENCE,
) -> Iterator[Finding]:
    """Run a consumer against a scripted service, and yield the finding of each check, in order.

    Args:
        command: the consumer's command line, without the argument `follow` (keep the copy) or `show` (print it).
        patience: seconds within which the consumer must do what a step of a check expects.
        checks: the checks to make.
        silence: seconds without a byte after which the consumer must give up a connection.

    Raises:
        ConsumerRefused: the program does not exist; raised when the first finding is requested.
    """
    if not command or shutil.which(command[0]) is None:
        raise ConsumerRefused(f"There is no program {' '.join(command[:1]) or 'in an empty command'}.")
    stage = Stage(ScriptedLedger())
    with TemporaryDirectory(prefix="cekal-conformance-") as folder, serving(stage):
        rehearsal = Rehearsal(command, stage, Path(folder), patience, silence)
        try:
            yield from examine(checks, rehearsal, _BROKEN)
        finally:
            rehearsal.stop()
