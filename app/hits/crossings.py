"""Where a person was last seen at the border, by every number under which they travel (R34)."""

from collections.abc import Sequence

from app.checks import store as checks
from app.checks.joining import document_hash
from app.checks.store import Passage
from app.db.unit import Reader
from app.entries.subjects import Subject
from app.hits import store
from app.identity import documents
from app.runtime import Runtime

_SOME = 50


async def last_crossing(register: Reader, subject: Subject, *, runtime: Runtime) -> str:
    """Where a person was last seen: `departed`, `in_country` or `unknown`.

    The latest crossing counts, with whichever of their documents or NIK: a check that was clear, or one after which
    a supervisor let the traveller pass. A check that shows a document is found by its first document alone.

    Args:
        register: a transaction on the register.
        subject: whose documents are looked for.
        runtime: the process.
    """
    numbers = {documents.normalise(document.number) for document in subject.documents} - {""}
    if subject.nik is not None:
        numbers.add(documents.normalise(subject.nik))
    hashes = [document_hash(runtime, number) for number in sorted(numbers)]
    before: str | None = None
    while hashes:
        async with runtime.checks_beside(register) as reader:
            asked = await checks.list_passages(reader, hashes, before, _SOME)
        crossed = await _latest(register, asked)
        if crossed is not None:
            return "departed" if crossed.direction == "exit" else "in_country"
        if len(asked) < _SOME:
            break
        before = asked[-1].check_id
    return "unknown"


async def _latest(register: Reader, asked: Sequence[Passage]) -> Passage | None:
    """The first of some checks, newest first, after which the traveller went on."""
    first_clear = next((i for i, each in enumerate(asked) if each.hit_id is None), len(asked))
    stopped = {each.hit_id for each in asked[:first_clear] if each.hit_id is not None}
    passed = await store.let_pass(register, stopped) if stopped else set()
    return next((each for each in asked if each.hit_id is None or each.hit_id in passed), None)
