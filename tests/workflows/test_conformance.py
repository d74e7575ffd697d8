"""`cekal conformance` before a real register, and before services that break one promise each."""

import json
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from sqlalchemy import update

from app.access.domain import SYSTEM
from app.conformance.findings import Outcome
from app.conformance.service import CHECKS, ServiceRefused, examine_service
from app.ledger.tables import record
from app.settings import Settings
from app.sync.snapshots.service import order
from app.wiring import wired_runtime
from tests.support.actors import Actors
from tests.support.altering import Alter, Answer, altering
from tests.support.changes import draft, write
from tests.support.cli import LONGEST, ROOT, cekal
from tests.support.databases import PEPPER
from tests.support.running import running

RECORDS = 7


async def fill(url: str, folder: Path) -> str:
    """Some records, one erased, one of another agency, and an ordered snapshot; gives an integrator's key."""
    runtime = wired_runtime(Settings(database_url=url, data_dir=folder, key_pepper=PEPPER))
    caller = await Actors(runtime).client("integrator")
    drafts = [draft("ent_1", 1), draft("ent_2", 1, agency="BNN"), draft("ent_1", 2, kind="entry.extended")]
    drafts += [draft(f"ent_{number}", 1) for number in range(3, RECORDS)]
    await write(runtime, drafts)
    async with runtime.writing(SYSTEM) as unit:
        erased = {"personal": None, "salt": None}
        await unit.run(update(record).where(record.c.sequence == 1).values(erased))
        await order(unit)
    await runtime.close()
    return caller.key


def wait_for_the_head(url: str, key: str) -> None:
    """Until all records and the seal of their digest are signed."""
    until = time.monotonic() + LONGEST
    with httpx2.Client(base_url=url, headers={"Authorization": f"Bearer {key}"}) as http:
        while time.monotonic() < until:
            answer = http.get("/v1/head")
            if answer.is_success and answer.json()["size"] > RECORDS:
                return
            time.sleep(0.05)
    raise AssertionError("no head was signed")


async def test_a_register_conforms(engine_url: str, tmp_path: Path):
    key = await fill(engine_url, tmp_path)
    (tmp_path / "key").write_text(f"{key}\n")
    with running("serve", "--port", 0, cwd=tmp_path, database_url=engine_url) as service:
        url = f"http://127.0.0.1:{service.heard('ready')['port']}"
        wait_for_the_head(url, key)
        told = cekal("conformance", url, "--key-file", "key", "--json", cwd=tmp_path)
        few = {each.check: each for each in examine_service(url, key, 3)}
        with pytest.raises(ServiceRefused, match="answered 401"):
            list(examine_service(url, "cekal_nonsense", 3))
    assert told.code == 0, told
    assert told.json["conforms"] is True
    assert [each["result"] for each in told.json["checks"]] == ["pass"] * len(CHECKS), told.out
    assert [each["check"] for each in told.json["checks"]] == [each.name for each in CHECKS]
    assert {each.outcome for each in few.values()} == {Outcome.PASS, Outcome.SKIPPED}
    assert few["root"].outcome == Outcome.SKIPPED
    assert "--records reads more" in few["root"].seen
    assert "3 records in 3 pages" in few["pages"].seen


Json = dict[str, Any]
Asked = dict[str, list[str]]


def in_page(change: Any) -> Alter:
    """Alters pages of the feed."""

    def alter(answer: Answer) -> None:
        if (answer.path, answer.kind, answer.status) == (
            "/v1/changes",
            "application/json",
            200,
        ) and answer.body:
            page = json.loads(answer.body)
            change(page, answer.asked)
            answer.body = json.dumps(page).encode()

    return alter


def at(path: str, change: Any) -> Alter:
    """Alters the JSON of a path."""

    def alter(answer: Answer) -> None:
        if answer.path == path and answer.kind == "application/json" and answer.status < 300 and answer.body:
            found = json.loads(answer.body)
            change(found)
            answer.body = json.dumps(found).encode()

    return alter


def replaced(old: bytes, new: bytes, kind: str = "", path: str = "") -> Alter:
    """Replaces what a pattern finds in answers."""

    def alter(answer: Answer) -> None:
        if answer.kind.startswith(kind) and answer.path.startswith(path):
            answer.body = re.sub(old, new, answer.body)

    return alter


def drop_a_record(page: Json, _: Asked) -> None:
    page["items"] = [each for each in page["items"] if each["sequence"] != 4]


def alter_a_leaf(answer: Answer) -> None:
    """In every format alike, so that only the tree shows it."""
    if answer.path == "/v1/changes":
        marked = b'"sequence":1,"tombstone"'
        agency = answer.body.rfind(b'"agency":"KPK"', 0, max(0, answer.body.find(marked)))
        if agency >= 0:
            answer.body = answer.body[:agency] + b'"agency":"BNN"' + answer.body[agency + 14 :]


def accept_any_cursor(answer: Answer) -> None:
    if answer.status == 422 and "after" in answer.asked:
        answer.status, answer.body = 200, b'{"items":[],"cursor":"x.0","head":0,"more":false}'
        answer.headers["content-type"] = "application/json"


def begin_anew_silently(answer: Answer) -> None:
    if answer.status == 410:
        answer.status = 200
        answer.headers["content-type"] = answer.sent["accept"]


def open_to_all(answer: Answer) -> None:
    if "authorization" not in answer.sent and answer.status == 401:
        answer.status = 200


def answer_plainly(answer: Answer) -> None:
    if answer.status == 404 and answer.path.endswith("nothing-here"):
        answer.headers["content-type"] = "text/html"


def never_vary(answer: Answer) -> None:
    answer.headers.pop("vary", None)


def lose_the_type_of_heads(answer: Answer) -> None:
    if not answer.body and answer.status == 200:
        answer.headers.pop("content-type", None)


def send_again(answer: Answer) -> None:
    if answer.status == 304:
        answer.status = 200


def keep_tiles(answer: Answer) -> None:
    """As if a tile were the same in every epoch."""
    if answer.path.startswith("/log/tile/"):
        answer.headers["cache-control"] = "public, max-age=31536000, immutable"


def lose_request_ids(answer: Answer) -> None:
    answer.headers.pop("x-request-id", None)


def truncate_lines(answer: Answer) -> None:
    if answer.kind == "application/x-ndjson":
        answer.body = b"".join(line for line in answer.body.splitlines(keepends=True) if b'"leaf"' in line)


def ignore_limits(answer: Answer) -> None:
    if answer.path.startswith("/v1/proofs") and answer.status == 422:
        answer.status = 200


def other_path(proof: Json) -> None:
    proof["path"] = ["00" * 32 for _ in proof["path"]]


def other_coding(answer: Answer) -> None:
    if answer.path == "/v1/changes" and answer.sent.get("accept-encoding") == "identity":
        answer.headers["content-encoding"] = "identity"


def ignore_the_last_id(answer: Answer) -> None:
    """Events begin anew, whatever was seen."""
    if "last-event-id" in answer.sent:
        answer.body = answer.body.replace(b'"sequence":', b'"sequence":1')


def leak_through_a_filter(page: Json, asked: Asked) -> None:
    if "type" in asked:
        page["items"] += page["items"][-1:]


def go_on_behind_the_end(page: Json, asked: Asked) -> None:
    if "after" in asked and not page["items"]:
        page["more"] = True


def lose_an_entry(answer: Answer) -> None:
    if answer.path == "/v1/snapshot" and answer.kind == "application/x-ndjson":
        lines = answer.body.splitlines(keepends=True)
        answer.body = b"".join(lines[:1] + lines[2:])


def send_all(answer: Answer) -> None:
    if answer.status == 206:
        answer.status = 200


Faults = dict[str, tuple[Alter, set[str]]]

SERVICES: tuple[Faults, ...] = (
    {
        "a record is missing": (in_page(drop_a_record), {"pages"}),
        "the root is another one": (at("/v1/head", lambda head: head.update(root="00" * 32)), {"head"}),
        "no key is needed": (open_to_all, {"key", "head-method", "request-id"}),
        "a problem is none": (answer_plainly, {"problems"}),
        "answers do not vary": (never_vary, {"accept"}),
        "the tag is not read": (send_again, {"etag"}),
    },
    {
        "the lines end without the last one": (truncate_lines, {"lines"}),
        "an event has another id": (replaced(rb"\.2\n", b".3\n", "text/event-stream"), {"events"}),
        "a key has another id": (
            at("/v1/signing-keys", lambda keys: keys["items"][0].update(key_id="00000000")),
            {"signing-keys"},
        ),
        "a cursor is not read": (accept_any_cursor, {"cursor-malformed"}),
        "HEAD says less": (lose_the_type_of_heads, {"head-method"}),
        "everything is coded": (other_coding, {"compression"}),
        "ids of requests are lost": (lose_request_ids, {"request-id"}),
    },
    {
        "a person is another one": (replaced(b"ent_5 1", b"ent_5 2"), {"leaves"}),
        "a filter leaks": (in_page(leak_through_a_filter), {"filters"}),
        "the end is none": (in_page(go_on_behind_the_end), {"cursor-end"}),
        "a restore is hidden": (begin_anew_silently, {"cursor-gone"}),
        "the last id is not read": (ignore_the_last_id, {"resume"}),
        "the head is old": (
            at("/v1/head", lambda head: head.update(valid_until="2020-01-01T00:00:00.000000Z")),
            {"head-fresh"},
        ),
        "the log is another one": (replaced(b"^cekal", b"kecal", path="/log/checkpoint"), {"checkpoint"}),
        "a proof file is another one": (replaced(rb"index \d+", b"index 0", "text/plain"), {"proof-file"}),
        "a consistency proof is another one": (at("/v1/proofs/consistency", other_path), {"consistency"}),
        "proofs beyond the ledger": (ignore_limits, {"sizes-beyond"}),
        "a bundle is another one": (replaced(b"KPK", b"BNN", "application/octet-stream"), {"tiles"}),
        "a digest has another seal": (at("/v1/digest", lambda digest: digest.update(seal=1)), {"digest"}),
    },
    {"a leaf is another one": (alter_a_leaf, {"inclusion", "consistency", "root", "tiles"})},
    {
        "pages never end": (in_page(lambda page, _: page.update(more=True)), {"pages"}),
        "an audit path is another one": (at("/v1/proofs/inclusion", other_path), {"inclusion", "digest"}),
    },
    {
        "a snapshot lacks an entry": (lose_an_entry, {"snapshot"}),
        "tiles are kept for ever": (keep_tiles, {"tiles"}),
    },
    {
        "parts are not sent": (send_all, {"snapshot-parts"}),
        "a digest is another one": (
            at("/v1/digest", lambda digest: digest["buckets"].reverse()),
            {"digest"},
        ),
    },
    {"the head is another log's": (replaced(b"cekal.local/", b"kecal.local/", path="/v1/head"), {"head"})},
)
"""Services with faults that do not hide each other, each fault with the checks that name it."""


@pytest.fixture
async def conforming(sqlite_url: str, tmp_path: Path) -> Any:
    key = await fill(sqlite_url, tmp_path)
    quick = {"heartbeat_seconds": 0.1}  # so that the proxy soon sees that its client has gone
    with running("serve", "--port", 0, cwd=tmp_path, database_url=sqlite_url, **quick) as service:
        url = f"http://127.0.0.1:{service.heard('ready')['port']}"
        wait_for_the_head(url, key)
        yield url, key


def test_the_page_lists_every_promise():
    page = (ROOT / "docs" / "integrate-feed.md").read_text()
    rows = [f"| `{each.name}` | {each.promise} |" for each in CHECKS]
    assert [line for line in page.splitlines() if line in rows] == rows


def test_what_can_not_be_examined_is_said_in_a_line(tmp_path: Path):
    (tmp_path / "key").write_text("cekal_key\n")
    (tmp_path / "no-key").write_text("\n")
    told = cekal("conformance", "http://127.0.0.1:1", "--key-file", "key", cwd=tmp_path)
    assert (told.code, told.out) == (1, "")
    assert "http://127.0.0.1:1 can't be reached" in told.err
    told = cekal("conformance", "http://127.0.0.1:1", "--key-file", "no-key", cwd=tmp_path)
    assert (told.code, told.out) == (2, "")
    assert "no-key has no key" in told.err


def failing(url: str, key: str) -> Iterator[str]:
    return (each.check for each in examine_service(url, key, 1000) if each.outcome == Outcome.FAIL)


async def test_each_broken_promise_is_named(conforming: tuple[str, str]):
    """One register for all, since starting one takes longer than examining it."""
    url, key = conforming
    with altering(url, lambda _: None) as proxied:
        assert set(failing(proxied, key)) == set()
    for faults in SERVICES:

        def alter(answer: Answer, faults: Faults = faults) -> None:
            for each, _ in faults.values():
                each(answer)

        with altering(url, alter) as proxied:
            assert set(failing(proxied, key)) == set().union(*(checks for _, checks in faults.values()))
    named = (checks for faults in SERVICES for _, checks in faults.values())
    assert set().union(*named) == {each.name for each in CHECKS}
