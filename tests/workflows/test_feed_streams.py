"""The feed of changes as lines and as events, over real sockets: what each reader gets, and from where it resumes."""

import asyncio
import json
import socket
from collections import Counter
from typing import Any

import httpx2
import pytest

from app.access.clients.revocations import revoke_key
from app.access.domain import SYSTEM
from app.ledger.service import close, erase_of_entry
from app.runtime import Runtime
from app.sync.feed import stream as feed_stream
from app.sync.feed import tail as feed_tail
from tests.support.actors import Actors, Caller
from tests.support.bodies import deterrence_body, entry_body
from tests.support.changes import EVENTS, LINES, PATH, changes, draft, lines, page, write
from tests.support.served import Served
from tests.support.sse import listening, raw_lines
from tests.support.steps import expect, impose
from tests.support.waiting import until

PROMPT = 2.0
"""The promised second, and one more for a busy machine."""


@pytest.fixture
async def replica(actors: Actors) -> Caller:
    return await actors.client("integrator", agency="IMIGRASI")


def hub(served: Served) -> Any:
    return served.app.state.process.feed_tail.hub


async def first_page(served: Served, by: Caller) -> str:
    """The cursor behind record 0."""
    cursor: str = (await page(served.http, by, limit=1))["cursor"]
    return cursor.partition(".")[0] + ".0"


async def test_live_and_missed_each_reader_gets_what_its_page_shows(
    served: Served, actors: Actors, replica: Caller
) -> None:
    kpk, bnn = await actors.client("integrator"), await actors.client("integrator", agency="BNN")
    readers = {"IMIGRASI": replica, "KPK": kpk, "BNN": bnn, "auditor": await actors.client("auditor")}
    async with (
        listening(served.http, replica.headers, PATH) as first,
        listening(served.http, kpk.headers, PATH) as second,
        listening(served.http, bnn.headers, PATH) as third,
        listening(served.http, readers["auditor"].headers, PATH) as fourth,
    ):
        streams = dict(zip(readers, (first, second, third, fourth), strict=True))
        for stream in streams.values():
            await stream.next("heartbeat")
        await impose(served.http, actors, entry_body())
        await impose(served.http, actors, deterrence_body())
        live = {name: await changes(stream, 2) for name, stream in streams.items()}
    shown = {"IMIGRASI": [True, True], "KPK": [True, False], "BNN": [False, False], "auditor": [True, True]}
    for name, by in readers.items():
        assert [each["personal"] is not None for each in live[name]] == shown[name], name
        assert live[name] == (await page(served.http, by))["items"]
        assert (await lines(served.http, by))[0] == live[name]
        async with listening(served.http, by.headers, PATH) as missed:
            assert await changes(missed, 2) == live[name]


async def test_what_is_sealed_later_is_withheld_live_and_from_those_who_missed_it(
    served: Served, runtime: Runtime, actors: Actors, replica: Caller
) -> None:
    auditor, barred = await actors.client("auditor"), await actors.client("auditor")
    await write(runtime, [draft("ent_1", 1)])
    await until(lambda: served.app.state.process.tail.head.size == 1)
    readers = (replica, auditor, barred)
    async with (
        listening(served.http, replica.headers, PATH) as first,
        listening(served.http, auditor.headers, PATH) as second,
        listening(served.http, barred.headers, PATH) as third,
    ):
        streams = (first, second, third)
        before = [(await changes(stream, 1))[0]["withheld"] for stream in streams]
        async with runtime.writing(SYSTEM) as unit:
            assert barred.person is not None
            await close(unit, "ent_1", [barred.person])
        await write(runtime, [draft("ent_1", 2)])
        after = [(await changes(stream, 1))[0] for stream in streams]
    assert before == [None, None, None]
    assert [each["withheld"] for each in after] == ["scope", None, "scope"]
    assert "secret" not in str(after[0]) + str(after[2])
    for by, each in zip(readers, after, strict=True):
        for records in ((await page(served.http, by))["items"], (await lines(served.http, by))[0]):
            assert [record["withheld"] for record in records] == [each["withheld"]] * 2


async def test_what_is_erased_before_it_is_published_is_not_shown_to_who_was_barred(
    served: Served, runtime: Runtime, actors: Actors, monkeypatch: pytest.MonkeyPatch
) -> None:
    barred = await actors.client("auditor")
    assert barred.person is not None
    async with runtime.writing(SYSTEM) as unit:
        await close(unit, "ent_1", [barred.person])
    read, server = feed_tail.closures_among, served.app.state.process.runtime

    async def erased_meanwhile(_: Any, records: Any) -> Any:
        async with server.writing(SYSTEM) as unit:
            await erase_of_entry(unit, "ent_1")
        async with server.reading(SYSTEM) as reader:
            return await read(reader, records)

    monkeypatch.setattr(feed_tail, "closures_among", erased_meanwhile)
    async with listening(served.http, barred.headers, PATH) as stream:
        await stream.next("heartbeat")
        await write(runtime, [draft("ent_1", 1)])
        (seen,) = await changes(stream, 1)
    assert (seen["personal"], seen["salt"], seen["withheld"]) == (None, None, "scope")


async def test_one_cursor_resumes_in_every_format(served: Served, runtime: Runtime, replica: Caller) -> None:
    await write(runtime, [draft("ent_1", number) for number in range(1, 7)])
    cursor = (await page(served.http, replica, limit=1))["cursor"]
    read, end = await lines(served.http, replica, after=cursor, limit=2)
    assert [each["sequence"] for each in read] == [2, 3]
    assert (end["head"], end["more"]) == (6, True)
    async with listening(served.http, replica.headers, PATH, end["cursor"]) as stream:
        seen = [await stream.next("change") for _ in range(2)]
    assert [event.json["sequence"] for event in seen] == [4, 5]
    rest = await page(served.http, replica, after=seen[-1].id)
    assert [each["sequence"] for each in rest["items"]] == [6]
    assert (rest["head"], rest["more"]) == (6, False)
    assert await lines(served.http, replica, after=rest["cursor"]) == (
        [],
        {"cursor": rest["cursor"], "head": 6, "more": False},
    )
    async with listening(served.http, replica.headers, f"{PATH}?after={cursor}") as stream:
        assert (await changes(stream, 1))[0]["sequence"] == 2


async def test_a_filter_leaves_records_out_and_its_cursor_moves_on_over_them(
    served: Served, runtime: Runtime, replica: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.ledger.service._PART", 3)
    monkeypatch.setattr("app.ledger.service._PARTS", 2)
    drafts = [
        draft(f"ent_{n % 2}", n, kind="entry.ended" if n % 10 == 0 else "entry.listed") for n in range(1, 22)
    ]
    await write(runtime, drafts)
    kinds = {"type": ["entry.ended", "clearance.granted"]}
    found, asked = [], dict[str, Any](kinds)
    for _ in range(10):
        part = await page(served.http, replica, **asked)
        found += [each["sequence"] for each in part["items"]]
        asked["after"] = part["cursor"]
        if not part["more"]:
            break
    assert (found, part["head"], part["cursor"].endswith(".21")) == ([10, 20], 21, True)
    read, end = await lines(served.http, replica, **kinds)
    assert [each["sequence"] for each in read] == [10, 20]
    assert end == {"cursor": part["cursor"], "head": 21, "more": False}
    both = await page(served.http, replica, entry_id="ent_1", type="entry.listed", limit=3)
    assert [each["sequence"] for each in both["items"]] == [1, 3, 5]
    assert (await page(served.http, replica, entry_id="ent_nobody"))["items"] == []
    query = f"{PATH}?entry_id=ent_0&type=entry.ended&after={end['cursor']}"
    async with listening(served.http, replica.headers, query) as stream:
        await stream.next("heartbeat")
        others = [draft("ent_1", 22, kind="entry.ended"), draft("ent_0", 23)]
        await write(runtime, [*others, draft("ent_0", 24, kind="entry.ended"), draft("ent_1", 25)])
        event = await stream.next("change")
        assert event.json["sequence"] == 24
        await until(lambda: served.app.state.process.feed_tail.reach == 25)
    async with listening(served.http, replica.headers, query, event.id) as again:
        assert (await again.next("heartbeat")).id == event.id.replace(".24", ".25")


@pytest.mark.settings(heartbeat_seconds=0.2)
async def test_a_heartbeat_of_a_filtered_stream_moves_its_cursor_to_the_head(
    served: Served, runtime: Runtime, replica: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.alerting.alerts.tail._TICK_SECONDS", 0.05)
    async with listening(served.http, replica.headers, f"{PATH}?type=entry.ended") as stream:
        first = await stream.next("heartbeat")
        await write(runtime, [draft("ent_1", number) for number in range(1, 4)])
        while (beat := await stream.next("heartbeat")).json["head"] != 3:
            assert beat.json["degraded"] is False
        assert (beat.id, set(beat.json)) == (first.id.replace(".0", ".3"), {"head", "at", "degraded"})


async def test_a_filtered_poll_waits_for_what_it_has_asked_for(
    served: Served, runtime: Runtime, replica: Caller
) -> None:
    waiting = asyncio.create_task(page(served.http, replica, wait=20, type="entry.ended"))
    await asyncio.sleep(0.3)
    await write(runtime, [draft("ent_1", 1)])
    await asyncio.sleep(0.5)
    assert not waiting.done()
    await write(runtime, [draft("ent_1", 2, kind="entry.ended")])
    told = await waiting
    assert ([each["sequence"] for each in told["items"]], told["head"]) == ([2], 2)


async def test_lines_follow_the_head_for_as_long_as_they_were_asked_to(
    served: Served, runtime: Runtime, replica: Caller
) -> None:
    await write(runtime, [draft("ent_1", 1)])
    following = asyncio.create_task(lines(served.http, replica, wait=3))
    await until(lambda: len(hub(served).streams) == 1)
    await write(runtime, [draft("ent_1", 2), draft("ent_1", 3)])
    read, end = await following
    assert [each["sequence"] for each in read] == [1, 2, 3]
    assert (end["head"], end["more"], end["cursor"].partition(".")[2]) == (3, False, "3")
    limited = asyncio.create_task(lines(served.http, replica, wait=30, limit=4, after=end["cursor"]))
    await until(lambda: len(hub(served).streams) == 1)
    await write(runtime, [draft("ent_1", number) for number in range(4, 10)])
    async with asyncio.timeout(10):
        read, end = await limited
    assert [each["sequence"] for each in read] == [4, 5, 6, 7]
    assert (end["cursor"].partition(".")[2], end["more"]) == ("7", True)


async def test_lines_cut_in_the_middle_go_on_behind_the_last_whole_one(
    served: Served, runtime: Runtime, replica: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feed_stream, "_PAGE", 5)
    await write(runtime, [draft("ent_1", number) for number in range(1, 42)])
    start = await first_page(served, replica)
    accept = {**replica.headers, "Accept": LINES}
    async with served.http.stream("GET", PATH, params={"wait": 30}, headers=accept) as response:
        whole: list[bytes] = []
        async for chunk in response.aiter_bytes():
            *new, _half = chunk.split(b"\n")
            whole += new
            break
    assert whole
    sequence = json.loads(whole[-1])["sequence"]
    await until(lambda: not hub(served).streams)
    read, end = await lines(served.http, replica, after=start.replace(".0", f".{sequence}"))
    assert [each["sequence"] for each in read] == list(range(sequence + 1, 42))
    assert end["more"] is False


async def test_behind_concurrent_writers_streams_have_every_number_once_and_in_order(
    served: Served, processes: list[Runtime], replica: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Readers that come at any time, some of them pages behind."""
    monkeypatch.setattr(feed_stream, "_PAGE", 7)
    each, writers = 25, 4
    wanted = writers * each * 2

    async def writing(runtime: Runtime, writer: int) -> None:
        for number in range(each):
            await write(runtime, [draft(f"ent_{writer}", number), draft(f"ent_{writer}", number)])

    async def following() -> list[int]:
        async with listening(served.http, replica.headers, PATH) as stream:
            return [record["sequence"] for record in await changes(stream, wanted)]

    async with asyncio.TaskGroup() as group:
        readers = []
        for writer in range(writers):
            group.create_task(writing(processes[writer % 2], writer))
            readers.append(group.create_task(following()))
            await asyncio.sleep(0.1)
    assert [reader.result() for reader in readers] == [list(range(1, wanted + 1))] * writers
    assert [record["sequence"] for record in (await lines(served.http, replica))[0]] == list(
        range(1, wanted + 1)
    )


async def test_five_hundred_followers_get_a_change_rendered_once_for_each_kind_of_reader(
    served: Served, runtime: Runtime, actors: Actors, replica: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    rendered: Counter[bool] = Counter()
    render = feed_tail.render

    def counted(record: Any, *, in_scope: bool) -> bytes:
        rendered[in_scope] += 1
        return render(record, in_scope=in_scope)

    monkeypatch.setattr(feed_tail, "render", counted)
    keys = [
        (await actors.client("integrator", agency=agency, gateway=True)).key
        for agency in ("IMIGRASI", "KPK", "BNN", "POLRI")
    ]
    opened: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []
    for number in range(500):
        reader, writer = await asyncio.open_connection("127.0.0.1", served.port)
        key = keys[number % len(keys)]
        request = f"GET {PATH} HTTP/1.1\r\nHost: x\r\nAccept: {EVENTS}\r\nAuthorization: Bearer {key}\r\n\r\n"
        writer.write(request.encode())
        opened.append((reader, writer))
    for reader, _ in opened:
        await asyncio.wait_for(reader.readuntil(b"event: heartbeat"), 60)
    assert len(hub(served).streams) == 500
    await write(runtime, [draft("ent_1", 1)])
    seen = Counter()
    for reader, _ in opened:
        got = await asyncio.wait_for(reader.readuntil(b'"withheld":'), 60)
        seen[b"secret" in got] += 1
    for _, writer in opened:
        writer.close()
    assert seen == {True: 250, False: 250}
    assert rendered == {True: 1, False: 1}


@pytest.mark.parametrize("accept", [EVENTS, LINES])
async def test_a_reader_that_reads_nothing_is_read_for_a_few_pages_and_cut(
    served: Served, runtime: Runtime, replica: Caller, monkeypatch: pytest.MonkeyPatch, accept: str
) -> None:
    """Of 40 MB that it missed a few pages are read from the database, whatever happens meanwhile."""
    monkeypatch.setattr("app.alerting.streams.hub.STUCK_SECONDS", 0.5)
    monkeypatch.setattr("app.web.stream_connection.STUCK_SECONDS", 0.5)
    monkeypatch.setattr(feed_stream, "_PAGE", 4)
    pages = Counter[str]()
    read = feed_stream.read_changes

    async def counted(*given: Any) -> Any:
        pages["read"] += 1
        return await read(*given)

    monkeypatch.setattr(feed_stream, "read_changes", counted)
    large = draft("ent_1", 1)
    large.personal["secret"] = "x" * 100_000
    for _ in range(20):
        await write(runtime, [large] * 20)
    with socket.socket() as deaf:
        deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        deaf.connect(("127.0.0.1", served.port))
        head = f"Host: x\r\nAccept: {accept}\r\nAuthorization: Bearer {replica.key}\r\n\r\n"
        deaf.sendall(f"GET {PATH}?wait=30 HTTP/1.1\r\n{head}".encode())
        await until(lambda: hub(served).streams)
        [slow] = hub(served).streams
        for _ in range(3):
            await write(runtime, [large] * 20)  # none of it is queued for a stream that is behind
            assert slow._queued < 2_000_000
        await until(lambda: not hub(served).streams, within=20)
    assert slow.why == "stuck"
    assert 0 < pages["read"] < 60


async def test_a_burst_that_no_stream_can_take_closes_them_and_they_go_on(
    served: Served, runtime: Runtime, replica: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feed_tail, "_WAITING", 10)
    async with listening(served.http, replica.headers, PATH) as stream:
        await stream.next("heartbeat")
        await write(runtime, [draft("ent_1", number) for number in range(1, 31)])
        seen = [event for event in await stream.rest() if event.name == "change"]
    after = seen[-1].id if seen else None
    async with listening(served.http, replica.headers, PATH, after) as again:
        rest = await changes(again, 30 - len(seen))
    numbers = [event.json["sequence"] for event in seen] + [each["sequence"] for each in rest]
    assert numbers == list(range(1, 31))


@pytest.mark.parametrize("accept", [EVENTS, LINES])
async def test_a_revoked_key_ends_its_streams(
    served: Served, runtime: Runtime, replica: Caller, accept: str
) -> None:
    headers = {**replica.headers, "Accept": accept}

    async def told() -> bytes:
        got = await served.http.get(f"{PATH}?wait=30", headers=headers, timeout=40)
        return got.content

    waiting = asyncio.create_task(told())
    await until(lambda: hub(served).streams)
    async with runtime.writing(SYSTEM) as unit:
        await revoke_key(unit, replica.id, replica.key_id)
    async with asyncio.timeout(PROMPT):
        last = await waiting
    assert last.endswith(b": revoked\n\n" if accept == EVENTS else b'.0","head":0,"more":false}\n')
    expect(await served.http.get(PATH, headers=headers), 401)


async def test_a_stopping_service_ends_its_streams(served: Served, replica: Caller) -> None:
    async with raw_lines(served.http, {**replica.headers, "Accept": EVENTS}, PATH) as rest:
        served.act(hub(served).close)
        async with asyncio.timeout(PROMPT):
            assert ": shutdown" in [each async for each in rest]
    refused = await served.http.get(PATH, headers={**replica.headers, "Accept": EVENTS})
    assert expect(refused, 503)["type"] == "/problems/unavailable"


@pytest.mark.parametrize("accept", [EVENTS, LINES, "application/json"])
@pytest.mark.parametrize(
    ("query", "status", "slug"),
    [
        ("after=0123456789abcdef.0", 410, "cursor-gone"),
        ("after=nonsense", 422, "validation"),
        ("type=entry.unheard", 422, "validation"),
        ("entry_id=%00", 422, "validation"),
        ("entry_id=a&entry_id=b", 422, "validation"),
        ("kind=entry.listed", 422, "validation"),
        ("wait=31", 422, "validation"),
        ("limit=0", 422, "validation"),
    ],
)
async def test_every_format_refuses_the_same(
    http: httpx2.AsyncClient, replica: Caller, actors: Actors, accept: str, query: str, status: int, slug: str
) -> None:
    url, headers = f"{PATH}?{query}", {"Accept": accept}
    problem = expect(await http.get(url, headers={**replica.headers, **headers}), status)
    assert problem["type"] == f"/problems/{slug}"
    assert problem.get("restart") == ("/v1/snapshot" if status == 410 else None)
    expect(await http.get(url, headers=headers), 401)
    if (
        "kind" not in query and "a&" not in query
    ):  # parameters that the call does not know are judged before roles
        other = await actors.client("submitter")
        expect(await http.get(url, headers={**other.headers, **headers}), 403)
    if status == 422:
        head = await http.head(url, headers={**replica.headers, **headers})
        assert (head.status_code, head.content) == (422, b"")


async def test_accept_chooses_the_format_by_the_rules_of_every_call(served: Served, replica: Caller) -> None:
    for accept, media in {
        "": "application/json",
        "*/*": "application/json",
        "application/*;q=0.5, text/event-stream;q=0.4": "application/json",
        "application/x-ndjson, application/json;q=0.5": LINES,
        "text/*": EVENTS,
    }.items():
        headers = {**replica.headers, "Accept": accept}
        head = await served.http.head(PATH, headers=headers)
        assert (head.status_code, head.headers["vary"].lower().partition(",")[0]) == (200, "accept")
        assert head.headers["content-type"].partition(";")[0] == media
        async with served.http.stream("GET", PATH, headers=headers) as got:
            assert got.headers["content-type"] == head.headers["content-type"]
    refused = await served.http.get(PATH, headers={**replica.headers, "Accept": "text/html"})
    assert expect(refused, 406)["type"] == "/problems/not-acceptable"
    allowed = await served.http.options(PATH)
    assert allowed.headers["allow"] == "GET, HEAD, OPTIONS"


@pytest.mark.settings(quota_streams=2)
async def test_streams_and_lines_take_of_one_quota_and_polls_of_another(
    served: Served, replica: Caller
) -> None:
    async with (
        listening(served.http, replica.headers, PATH) as first,
        listening(served.http, replica.headers, PATH),
    ):
        await first.next("heartbeat")
        await until(lambda: len(hub(served).streams) == 2)
        for accept in (EVENTS, LINES):
            refused = await served.http.get(PATH, headers={**replica.headers, "Accept": accept})
            assert expect(refused, 429)["quota"] == "streams"
        polled = await served.http.get(PATH, headers=replica.headers)
        assert (polled.status_code, polled.headers["ratelimit"].partition(";")[0]) == (200, '"polls"')


@pytest.mark.settings(heartbeat_seconds=0.2, stale_seconds=1.0)
async def test_what_can_not_be_published_degrades_heartbeats_and_comes_later(
    served: Served, runtime: Runtime, replica: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.alerting.alerts.tail._TICK_SECONDS", 0.05)
    broken = True
    read = feed_tail.closures_among

    async def unreadable(*given: Any) -> Any:
        if broken:
            raise OSError("what is sealed can't be read")
        return await read(*given)

    monkeypatch.setattr(feed_tail, "closures_among", unreadable)
    async with listening(served.http, replica.headers, PATH) as stream:
        assert (await stream.next("heartbeat")).json["degraded"] is False
        await write(runtime, [draft("ent_1", 1)])
        while not (beat := await stream.next()).json["degraded"]:
            assert beat.name == "heartbeat"
        assert (beat.id or "").endswith(".0")
        broken = False
        while (event := await stream.next()).name != "change":
            pass
        assert event.json["sequence"] == 1
        while (await stream.next("heartbeat")).json["degraded"]:
            pass
