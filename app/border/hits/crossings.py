"""The last border crossing of a person, by all their document numbers (R34)."""

from collections.abc import Sequence

from app.border.checks import store as checks
from app.border.checks.joining import document_hash
from app.border.checks.store import Passage
from app.border.hits import store
from app.db.unit import Reader
from app.identity import documents, typed_numbers
from app.register.entries.subjects import Subject
from app.runtime import Runtime

_BATCH_SIZE = 50


async def last_crossing(register: Reader, subject: Subject, *, runtime: Runtime) -> str:
    """Return where a person is by their last crossing of the border: `departed`, `in_country` or `unknown`.

    A crossing is a check at the border with one of the person's document numbers or the NIK, after which the traveller
    passed: the answer was `clear`, or a supervisor let them pass. A check is found only by the first of its documents,
    and by the NIK only if no document was shown. Returns `unknown` if no crossing is found.

    Args:
        register: a transaction on the register.
        subject: the person.
        runtime: the process's databases, clock and settings.
    """
    numbers = {number for paper in subject.documents for number in typed_numbers.certain(paper.number)}
    if subject.nik is not None:
        numbers.add(documents.normalise(subject.nik))
    hashes = [document_hash(runtime, number) for number in sorted(numbers)]
    before: str | None = None
    while hashes:
        async with runtime.checks_beside(register) as reader:
            passages = await checks.list_passages(reader, hashes, before, _BATCH_SIZE)
        crossed = await _latest(register, passages)
        if crossed is not None:
            return "departed" if crossed.direction == "exit" else "in_country"
        if len(passages) < _BATCH_SIZE:
            break
        before = passages[-1].check_id
    return "unknown"


async def _latest(register: Reader, passages: Sequence[Passage]) -> Passage | None:
    """Return the first of some checks, newest first, after which the traveller passed. Returns None without one."""
    first_clear = next((i for i, each in enumerate(passages) if each.hit_id is None), len(passages))
    stopped = {each.hit_id for each in passages[:first_clear] if each.hit_id is not None}
    passed = await store.list_let_pass(register, stopped) if stopped else set()
    return next((each for each in passages if each.hit_id is None or each.hit_id in passed), None)
