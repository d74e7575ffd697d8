"""Checks of the feed of changes: records, cursors, formats and filters.

A record has a leaf, which the ledger's hashes cover, and often a personal part, to which the leaf commits by a salted
hash. A cursor names the record up to which a reader has read, and the ledger's epoch: a restore begins a new one. The
head is the end of the ledger.

Each check returns one sentence about what was seen. A check raises Failed if the service breaks the promise, and
Skipped if the promise can't be checked.
"""

import hashlib
from collections.abc import Iterable
from itertools import islice

from httpx2 import codes

from app.conformance.findings import Checks, Failed, Skipped
from app.conformance.session import (
    CHANGES,
    EVENTS,
    JSON,
    LINES,
    Json,
    Session,
    events,
    expect,
    expect_problem,
    object_of,
)
from app.kit.canonical import canonical

feed = Checks[Session]()

_PAGES = 3
"""Pages in which the records are read at least, as far as there are as many records."""

_MOST = 500
"""The largest `limit`."""

_SHOWN = frozenset({"personal", "salt", "withheld"})
"""Members of a record that change when it is erased or sealed."""

_BOTH = ("sequence", "type", "at", "effective_at", "entry_id", "version", "tombstone")
"""Members that a record has in common with its leaf."""

_FORMATS = (JSON, LINES, EVENTS)


@feed.promise("pages", "Pages of JSON give every record once, in order, with dense numbers from 1.")
def read_pages(session: Session) -> str:
    """Check that pages give every record once, in order, without gaps; store the records in the session.

    Returns:
        One sentence about what was seen.

    Raises:
        Failed: the service breaks this promise.
    """
    page = session.page(limit=1)
    end = min(int(page["head"]), session.most)
    limit = max(1, min(_MOST, -(-end // _PAGES)))
    session.epoch = str(page["cursor"]).rpartition(".")[0]
    records: list[Json] = []
    pages, after = 0, None
    while len(records) < end or pages == 0:
        page = session.page(limit=limit) if after is None else session.page(limit=limit, after=after)
        pages, items, after = pages + 1, page["items"], page["cursor"]
        numbers = [each["sequence"] for each in items]
        expected = list(range(len(records) + 1, len(records) + 1 + len(items)))
        gap = next((want for want, came in zip(expected, numbers, strict=True) if want != came), None)
        expect(gap is None, f"Record {gap} is missing on page {pages}.")
        records += items
        expect(after == session.cursor(len(records)), f"The cursor of page {pages} is {after}.")
        expect(len(items) <= limit, f"Page {pages} has {len(items)} records, more than its limit.")
        expect(page["head"] >= session.reach, f"The head went back from {session.reach} to {page['head']}.")
        session.reach = page["head"]
        more = len(records) < session.reach
        expect(page["more"] is more, f"Page {pages} says that more is {page['more']}.")
        expect(bool(items) or not more, f"Page {pages} is empty, and there is more.")
    session.records = records[:end]
    return f"{len(session.records)} records in {pages} pages; the head is {session.reach}."


@feed.promise("lines", "Lines of JSON give the same records, and a last line with the cursor.", "pages")
def read_lines(session: Session) -> str:
    """Check that lines give the same records as pages, and a last line with the cursor.

    Returns:
        One sentence about what was seen.

    Raises:
        Failed: the service breaks this promise.
        Skipped: no record was read before.
    """
    records = session.first()
    end = len(records)
    with session.stream(LINES) as lines:
        found = [object_of(line) for line in islice(lines, end)]
    _expect_same(records, found, "lines")
    with session.stream(LINES, params={"after": session.cursor(end - 1), "limit": 1}) as lines:
        record, *rest = [object_of(line) for line in lines]
    _expect_same(records[-1:], [record], "lines")
    expect(len(rest) == 1, f"Behind one record come {len(rest)} lines in place of the last one.")
    last = rest[0]
    expect(
        set(last) == {"cursor", "head", "more"}, "The last line has other members than cursor, head and more."
    )
    expect(last["cursor"] == session.cursor(end), f"The last line's cursor is {last['cursor']}.")
    expect(last["more"] is (end < last["head"]), f"The last line says that more is {last['more']}.")
    return f"{end} lines with the records of the pages; the last line ends at {last['cursor']}."


@feed.promise("events", "Server-sent events give the same records, each with its cursor as id.", "pages")
def read_events(session: Session) -> str:
    """Check that events give the same records as pages, and that heartbeats have all their members.

    If the records that were read reach the ledger's end, a heartbeat must come too.

    Returns:
        One sentence about what was seen.

    Raises:
        Failed: the service breaks this promise.
        Skipped: no record was read before.
    """
    records = session.first()
    to_end = len(records) == session.reach
    found: list[Json] = []
    beat: Json | None = None
    with session.stream(EVENTS) as lines:
        for event in events(lines):
            if event.get("event") == "change":
                data = object_of(event["data"])
                expect(
                    event.get("id") == session.cursor(data["sequence"]),
                    f"The event of record {data['sequence']} has the id {event.get('id')}.",
                )
                found.append(data)
            elif event.get("event") == "heartbeat":
                beat = object_of(event["data"])
            if len(found) >= len(records) and (beat is not None or not to_end):
                break
    _expect_same(records, found[: len(records)], "events")
    if beat is None:
        return f"{len(found)} events with the records of the pages."
    missing = {"head", "at", "degraded"} - beat.keys()
    expect(not missing, f"The heartbeat has no member {', '.join(sorted(missing))}.")
    return f"{len(found)} events with the records of the pages; a heartbeat says that the head is {beat['head']}."


@feed.promise(
    "resume", "Each format goes on behind a cursor that another one gave.", "pages", "lines", "events"
)
def resume(session: Session) -> str:
    """Check that each format continues after a cursor from another format.

    Returns:
        One sentence about what was seen.

    Raises:
        Failed: the service breaks this promise.
        Skipped: fewer than two records were read before.
    """
    records = session.first(2)
    at = len(records) // 2
    expected, cursor = records[at : at + 1], session.cursor(at)
    _expect_same(expected, session.page(after=cursor, limit=1)["items"], f"the page behind {cursor}")
    with session.stream(LINES, params={"after": cursor}) as lines:
        _expect_same(expected, [object_of(next(lines))], f"the lines behind {cursor}")
    with session.stream(EVENTS, headers={"Last-Event-ID": cursor}) as lines:
        change = next(each for each in events(lines) if each.get("event") == "change")
        _expect_same(expected, [object_of(change["data"])], f"the events behind {cursor}")
    return f"Behind {cursor} comes record {at + 1} in each format."


@feed.promise(
    "leaves", "Each record says what its leaf says, and its leaf commits to the personal part.", "pages"
)
def read_leaves(session: Session) -> str:
    """Check that each record agrees with its leaf, and its personal part with the commitment.

    Returns:
        One sentence about what was seen.

    Raises:
        Failed: the service breaks this promise.
        Skipped: no record was read before.
    """
    records = session.first()
    shown = 0
    for each in records:
        number, leaf, personal = each["sequence"], each["leaf"], each["personal"]
        wrong = [name for name in _BOTH if each[name] != leaf[name]]
        expect(not wrong, f"Record {number} differs from its leaf in {', '.join(wrong)}.")
        expect(
            each["withheld"] in ({None} if personal is not None else {"scope", "erased"}),
            f"Record {number} says {each['withheld']} of a personal part that is {'there' if personal else 'null'}.",
        )
        expect((each["salt"] is None) == (personal is None), f"Record {number} has a salt alone, or none.")
        if personal is not None:
            shown += 1
            bound = hashlib.sha256(bytes.fromhex(each["salt"]) + canonical(personal)).hexdigest()
            expect(
                bound == leaf["commitment"], f"The leaf of record {number} commits to another personal part."
            )
    return f"{len(records)} records; {shown} with a personal part, {len(records) - shown} withheld."


@feed.promise("filters", "A filter by type or entry gives exactly the records that it names.", "pages")
def filter_records(session: Session) -> str:
    """Check that filters by type and by entry give exactly the records of this type or entry.

    Returns:
        One sentence about what was seen.

    Raises:
        Failed: the service breaks this promise.
        Skipped: no record was read before.
    """
    records = session.first()
    kinds = sorted({each["type"] for each in records})
    entry_id = next((each["entry_id"] for each in reversed(records) if each["entry_id"]), None)
    filters: list[Json] = [{"type": kinds[:1]}, {"type": kinds[:2]}]
    if entry_id is not None:
        filters += [{"entry_id": entry_id}, {"entry_id": entry_id, "type": kinds[-1:]}]
    for asked in filters:
        chosen = [each for each in records if _is_meant(each, asked)]
        _expect_same(chosen, _filtered(session, asked), f"the filter {_in_words(asked)}")
    expect_problem(session.get(CHANGES, params={"type": "nonsense"}), 422, "validation")
    return f"{len(filters)} filters; an unknown type is refused."


def _filtered(session: Session, asked: Json) -> list[Json]:
    """Return the records that a filter leaves among those that were read."""
    end, position = len(session.records), 0
    found: list[Json] = []
    while position < end:
        page = session.page(limit=_MOST, after=session.cursor(position), **asked)
        moved = int(str(page["cursor"]).rpartition(".")[2])
        expect(moved > position, f"The cursor stays at {position} with the filter {_in_words(asked)}.")
        found += [each for each in page["items"] if each["sequence"] <= end]
        position = moved
    return found


def _is_meant(record: Json, asked: Json) -> bool:
    kinds = asked.get("type")
    return (kinds is None or record["type"] in kinds) and asked.get("entry_id") in {None, record["entry_id"]}


def _in_words(asked: Json) -> str:
    return " and ".join(f"{name}={value}" for name, value in asked.items())


@feed.promise("cursor-end", "The cursor of the end gives nothing, and stays.", "pages")
def ask_behind_the_end(session: Session) -> str:
    """Check that a page after the newest record is empty, and that its cursor is the one that was sent.

    Returns:
        One sentence about what was seen.

    Raises:
        Failed: the service breaks this promise.
        Skipped: new records came at each attempt.
    """
    for _ in range(_PAGES):  # a record may come meanwhile
        cursor = session.cursor(session.reach)
        page = session.page(after=cursor)
        if page["head"] == session.reach:
            expect(not page["items"], f"Behind the end come {len(page['items'])} records.")
            expect(page["cursor"] == cursor, f"The cursor of the end moved to {page['cursor']}.")
            expect(page["more"] is False, "The end says that there is more.")
            return f"Behind {cursor} comes nothing."
        session.reach = page["head"]
    raise Skipped("Records came each time that the end was asked for.")


@feed.promise("cursor-malformed", "A cursor that is none is refused as 422 validation.")
def ask_behind_nonsense(session: Session) -> str:
    """Check that texts that are no cursors are refused as 422 `validation`.

    Returns:
        One sentence about what was seen.

    Raises:
        Failed: the service breaks this promise.
    """
    for cursor in ("nonsense", "1", f"{session.epoch or 'x'}.-1", f"{session.epoch or 'x'}.one"):
        for accept in _FORMATS:
            status = session.status(accept, after=cursor)
            expect(status == codes.UNPROCESSABLE_CONTENT, f"The cursor {cursor} gives {status} as {accept}.")
        expect_problem(session.get(CHANGES, params={"after": cursor, "limit": 1}), 422, "validation")
    return "Four texts are refused in each format."


@feed.promise(
    "cursor-gone",
    "A cursor of another epoch, or beyond the head, is 410 cursor-gone and names a restart.",
    "pages",
)
def ask_behind_the_unknown(session: Session) -> str:
    """Check that cursors of another epoch or beyond the head are refused as 410 `cursor-gone`.

    Returns:
        One sentence about what was seen.

    Raises:
        Failed: the service breaks this promise.
    """
    for cursor in ("0123456789abcdef.1", session.cursor(session.reach + 10**9)):
        for accept in _FORMATS:
            status = session.status(accept, after=cursor)
            expect(status == codes.GONE, f"The cursor {cursor} gives {status} as {accept}.")
        problem = expect_problem(session.get(CHANGES, params={"after": cursor}), 410, "cursor-gone")
        expect(bool(problem.get("restart")), "The problem cursor-gone does not say where to begin anew.")
    return f"Both are refused in each format; restart is {problem['restart']}."


def _expect_same(expected: Iterable[Json], found: Iterable[Json], where: str) -> None:
    """Hold that records are the same; a personal part may have been erased or sealed meanwhile."""
    mine, others = list(expected), list(found)
    for one, other in zip(mine, others, strict=False):
        differs = sorted(name for name in one.keys() | other.keys() if one.get(name) != other.get(name))
        was_withheld = None in {one["withheld"], other.get("withheld")} and one["withheld"] != other.get(
            "withheld"
        )
        if differs and not (was_withheld and _SHOWN.issuperset(differs)):
            raise Failed(
                f"Record {one['sequence']} differs in {', '.join(differs)} between pages and {where}."
            )
    expect(len(mine) == len(others), f"{len(others)} records come by {where} in place of {len(mine)}.")
