"""The register and its witnesses: real processes cosign its heads, and odd ones are borne."""

import asyncio
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx2
import pytest

from app.access.domain import SYSTEM
from app.runtime import Runtime
from app.settings import Settings
from app.sync.heads.service import head_to_push
from app.sync.witnesses import store
from app.sync.witnesses.client import http_client
from app.sync.witnesses.domain import LONGEST_DELAY, WitnessState, delay, witnesses_of
from app.sync.witnesses.pushing import Pusher
from app.sync.witnesses.service import WitnessPolicyRefused, is_witnessed, read_policy
from app.tlog.checkpoints import Checkpoint
from app.tlog.keys import KeyKind, SigningKey, VerifierKey
from app.tlog.notes import Note
from app.tlog.policy import Policy
from app.tlog.proofs import InclusionProof
from app.tlog.signed import open_checkpoint
from app.worker import Worker
from tests.support.actors import Caller
from tests.support.bodies import urgent_body
from tests.support.cli import cekal
from tests.support.clock import MORNING, SettableClock
from tests.support.odd_witnesses import Answer, odd_witness, said
from tests.support.steps import expect
from tests.support.witnesses import Served, witness

Submit = Callable[[int], Any]


@dataclass
class Witnessed:
    """A register, its signer, and a pusher with the witnesses of a policy."""

    runtime: Runtime
    worker: Worker
    pusher: Pusher
    policy: Policy

    async def sign(self) -> None:
        """Signs a head if there is news, or the last one is old."""
        await self.worker.sign_head()

    async def states(self) -> list[WitnessState]:
        """What is known of each witness, in the policy's order."""
        async with self.runtime.reading(SYSTEM) as reader:
            known = await store.list_states(reader)
        return [known.get(each.url, WitnessState(each.url)) for each in self.pusher.witnesses]

    async def has_quorum(self) -> bool:
        """Whether the newest head has the quorum."""
        async with self.runtime.reading(SYSTEM) as reader:
            head = await head_to_push(reader)
            assert head is not None
            return await is_witnessed(reader, self.policy, head.epoch, head.size)


def pushing_to(runtime: Runtime, worker: Worker, folder: Path, text: str) -> Witnessed:
    """A pusher by a policy."""
    file = folder / "witnesses"
    file.write_text(text)
    settings = runtime.settings.model_copy(update={"witness_policy": file})
    runtime.settings = settings
    policy = read_policy(settings)
    assert policy is not None
    return Witnessed(runtime, worker, Pusher(runtime, head_to_push), policy)


async def push_due(pusher: Pusher) -> int:
    """Pushes to all witnesses that are due, once; gives the number of those that cosigned."""
    async with http_client() as http:
        return sum(await asyncio.gather(*(pusher._push(http, *each) for each in await pusher.due())))


def lines(name: str, served: Served) -> str:
    """The lines of a policy for a witness with two keys."""
    keys = [f"witness {name}{at} {key} {served.url}/\n" for at, key in enumerate(served.vkeys)]
    return "".join(keys) + f"group {name} any {name}0 {name}1\n"


@pytest.fixture
async def submit(http: httpx2.AsyncClient, owner: Caller) -> Submit:
    numbers = iter(range(10_000))

    async def submit(count: int) -> None:
        for number in [next(numbers) for _ in range(count)]:
            body = urgent_body()
            body["subject"]["documents"][0]["number"] = f"Z{number:07d}"
            body["basis"]["number"] = f"SP/{number}/XI/2026"
            body["basis"]["case_reference"] = f"Case {number}"
            expect(await http.post("/v1/urgent-entries", json=body, headers=owner.once(f"k{number}")), 201)

    return submit


async def vkeys_of(http: httpx2.AsyncClient) -> list[VerifierKey]:
    items = expect(await http.get("/v1/signing-keys"), 200)["items"]
    return [VerifierKey.parse(each["vkey"]) for each in items]


async def test_two_processes_cosign_each_head_and_a_third_is_out(
    http: httpx2.AsyncClient,
    worker: Worker,
    runtime: Runtime,
    submit: Submit,
    auditor: Caller,
    clock: SettableClock,
    tmp_path: Path,
):
    trusted = "".join(f"log {key}\n" for key in await vkeys_of(http))
    times = tmp_path / "time"
    times.write_text(MORNING.isoformat())
    with ExitStack() as stack:
        served = []
        for name in ("w1", "w2"):
            (tmp_path / name).mkdir()
            given = {"env": "test", "test_clock": times}
            served.append(
                stack.enter_context(witness(tmp_path / name, trusted, "--name", f"{name}.example", **given))
            )
        absent = SigningKey.generate(KeyKind.TIMED_ED25519).verifier("w3.example")
        text = lines("a", served[0]) + lines("b", served[1])
        text += f"witness c {absent} http://127.0.0.1:9\ngroup two 2 a b c\nquorum two\n"
        register = pushing_to(runtime, worker, tmp_path, text)
        assert await push_due(register.pusher) == 0, "nothing was signed yet"
        for count in (1, 3, 5):
            await submit(count)
            await register.sign()
            assert not await register.has_quorum()
            clock.advance(timedelta(seconds=61))  # so that the third is tried again
            times.write_text(clock().isoformat())
            assert await push_due(register.pusher) == 2
            assert await register.has_quorum()
            head = expect(await http.get("/v1/head", headers=auditor.headers), 200)
            assert [each["name"] for each in head["witnesses"]] == ["w1.example", "w2.example"]
            assert await push_due(register.pusher) == 0, "each head is pushed once"
        first, second, third = await register.states()
        assert first.size == second.size == head["size"]
        assert (third.size, third.failures) == (0, 3)
        assert "can't be reached" in third.failure
        async with runtime.reading(SYSTEM) as reader:
            newest = await head_to_push(reader)
            assert newest is not None
            assert [each.lags(newest, reader.now) for each in (first, second, third)] == [False, False, True]
        # the same size is signed again, and cosigned again with a newer time
        clock.advance(timedelta(seconds=50))
        times.write_text(clock().isoformat())
        await register.sign()
        assert await push_due(register.pusher) == 2
        again = expect(await http.get("/v1/head", headers=auditor.headers), 200)
        assert again["size"] == head["size"]
        assert again["witnesses"][0]["signed_at"] > head["witnesses"][0]["signed_at"]
        given = {"database_url": runtime.settings.url, "witness_policy": tmp_path / "witnesses"}
        told = cekal("witnesses", "--json", cwd=tmp_path, **given)
        assert told.json["head"]["witnessed"] is True
        assert [each["size"] for each in told.json["witnesses"]] == [head["size"], head["size"], 0]
        table = cekal("witnesses", cwd=tmp_path, **given)
        assert "has the quorum" in table.out


async def test_a_witness_that_knows_more_or_less_is_met_where_it_is(
    http: httpx2.AsyncClient,
    worker: Worker,
    runtime: Runtime,
    submit: Submit,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
):
    """A register that lost its table of witnesses, or never knew of one, goes on from the size that is answered."""
    await submit(5)
    trusted = "".join(f"log {key}\n" for key in await vkeys_of(http))
    with witness(tmp_path, trusted) as served:
        register = pushing_to(runtime, worker, tmp_path, lines("a", served) + "quorum a\n")
        runtime.clock = lambda: datetime.now(UTC)  # the witness's clock is the machine's
        await register.sign()
        assert await push_due(register.pusher) == 1
        (state,) = await register.states()
        for known in (0, state.size - 1):
            async with runtime.writing(SYSTEM) as unit:
                await store.save_state(unit, replace(state, size=known))
            await submit(1)
            await register.sign()
            assert await push_due(register.pusher) == 1
        async with runtime.reading(SYSTEM) as reader:
            newest = await head_to_push(reader)
        (after,) = await register.states()
        assert newest is not None
        assert (after.size, after.failures) == (newest.size, 0)
        assert "has forgotten" not in caplog.text
        async with runtime.writing(SYSTEM) as unit:  # as if it had cosigned what is signed only now
            await store.save_state(unit, replace(after, size=newest.size + 1, head_signed_at=None))
        await submit(1)
        await register.sign()
        assert await push_due(register.pusher) == 1
        assert "has forgotten" in caplog.text


KEY = SigningKey.generate(KeyKind.TIMED_ED25519)
SIZE = "text/x.tlog.size"


def cosigned(body: bytes, time: int, key: SigningKey = KEY, name: str = "odd.example") -> bytes:
    note = Note.parse(body.partition(b"\n\n")[2])
    return said(200, str(key.sign(name, note.text, time)).encode())


def another_root(body: bytes) -> bytes:
    """The answer of a witness that has cosigned a head of the same size with another root."""
    size = Checkpoint.parse(Note.parse(body.partition(b"\n\n")[2]).text).size
    return said(409, f"{size}\n".encode(), SIZE)


NOW = int(MORNING.timestamp())


@pytest.mark.parametrize(
    ("answer", "failure"),
    [
        (lambda _: said(404), "does not know the origin"),
        (lambda _: said(403), "does not accept the signatures"),
        (lambda _: said(422), "does not continue"),
        (lambda _: said(400), "malformed"),
        (lambda _: said(500, b"<html>"), "it answers 500"),
        (lambda _: said(302, b""), "it answers 302"),
        (lambda _: said(409, b"1000000\n", SIZE), "it has a head of 1000000"),
        (lambda _: said(409, b"many\n", SIZE), "409 without a size"),
        (lambda _: said(409, b"1\n"), "409 without a size"),
        (lambda _: said(409, b"0\n", SIZE), "another size each time"),
        (another_root, "does not continue"),
        (lambda _: said(200), "not signature lines"),
        (lambda _: said(200, b"\xff\xfe" * 100), "not signature lines"),
        (lambda _: said(200, b"garbage\n"), "not signature lines"),
        (lambda _: said(200, b"x" * 100_000), "too long"),
        (lambda _: b"nonsense\r\n\r\n", "can't be reached"),
        (lambda _: b"", "can't be reached"),
        (lambda body: cosigned(body, NOW, SigningKey.generate(KeyKind.TIMED_ED25519)), "can't be accepted"),
        (lambda body: cosigned(body, NOW, name="other.example"), "can't be accepted"),
        (lambda body: cosigned(body, NOW + 600), "in the future"),
        (lambda body: cosigned(body, 0), "has no time"),
        (lambda body: cosigned(body.replace(b"cekal", b"kecal", 1), NOW), "can't be accepted"),
    ],
)  # fmt: skip
async def test_an_odd_witness_has_no_effect_and_is_tried_again_later(
    worker: Worker,
    runtime: Runtime,
    submit: Submit,
    clock: SettableClock,
    tmp_path: Path,
    answer: Answer,
    failure: str,
):
    await submit(1)
    async with odd_witness(answer) as odd:
        text = f"witness odd {KEY.verifier('odd.example')} {odd.url}\nquorum odd\n"
        register = pushing_to(runtime, worker, tmp_path, text)
        await register.sign()
        assert await push_due(register.pusher) == 0
        assert not await register.has_quorum()
        (state,) = await register.states()
        assert failure in state.failure
        assert (state.size, state.failures, state.failing_since) == (0, 1, MORNING)
        calls = len(odd.bodies)
        assert await push_due(register.pusher) == 0
        assert len(odd.bodies) == calls, "not before its time"
        clock.advance(timedelta(seconds=3))
        odd.answer = lambda body: cosigned(body, NOW)
        assert await push_due(register.pusher) == 1
        assert await register.has_quorum()
        (state,) = await register.states()
        assert (state.failures, state.failure, state.retry_at) == (0, "", None)


async def test_one_that_never_answers_keeps_nobody_waiting(
    worker: Worker, runtime: Runtime, submit: Submit, tmp_path: Path
):
    async with odd_witness(lambda _: None) as never, odd_witness(lambda body: cosigned(body, NOW)) as quick:
        other = SigningKey.generate(KeyKind.TIMED_ED25519).verifier("never.example")
        text = f"witness never {other} {never.url}\n"
        text += f"witness quick {KEY.verifier('odd.example')} {quick.url}\nquorum quick\n"
        register = pushing_to(runtime, worker, tmp_path, text)
        running = asyncio.create_task(register.pusher.run())
        try:
            for count in (1, 2):
                await submit(count)
                await register.sign()
                async with asyncio.timeout(4):  # less than the other is waited for
                    while not await register.has_quorum():  # noqa: ASYNC110 - in the database
                        await asyncio.sleep(0.02)
            async with asyncio.timeout(20):
                while not (await register.states())[0].failures:  # noqa: ASYNC110 - as above
                    await asyncio.sleep(0.05)
            assert "does not answer" in (await register.states())[0].failure
        finally:
            running.cancel()
            await asyncio.wait([running])


async def test_several_processes_push_once(worker: Worker, runtime: Runtime, submit: Submit, tmp_path: Path):
    """On PostgreSQL any process may push; each claims the witness before."""
    if runtime.register.is_sqlite:
        pytest.skip("SQLite is served by one process")
    await submit(1)
    async with odd_witness(lambda body: cosigned(body, NOW)) as odd:
        text = f"witness odd {KEY.verifier('odd.example')} {odd.url}\nquorum odd\n"
        register = pushing_to(runtime, worker, tmp_path, text)
        await register.sign()
        others = [Pusher(runtime, head_to_push) for _ in range(3)]
        pushed = await asyncio.gather(*(push_due(each) for each in (register.pusher, *others)))
        assert sum(pushed) >= 1
        assert len(odd.bodies) == sum(pushed) == 1
        async with runtime.writing(SYSTEM) as unit:
            read_before = WitnessState(odd.url)
            assert not await store.claim(unit, read_before, unit.now + timedelta(minutes=1))


async def test_whoever_reads_a_head_reads_its_cosignatures(
    http: httpx2.AsyncClient,
    worker: Worker,
    runtime: Runtime,
    submit: Submit,
    auditor: Caller,
    tmp_path: Path,
):
    await submit(2)
    async with odd_witness(lambda body: cosigned(body, NOW)) as odd:
        text = f"witness odd {KEY.verifier('odd.example')} {odd.url}\nquorum odd\n"
        register = pushing_to(runtime, worker, tmp_path, text)
        await register.sign()
        await push_due(register.pusher)
    headers = {**auditor.headers, "accept": "text/plain"}
    proof = await http.get("/v1/proofs/inclusion", params={"sequence": 1}, headers=headers)
    notes = [InclusionProof.parse(proof.content).note]
    notes += [
        Note.parse((await http.get(path, headers=headers)).content)
        for path in ("/v1/head", "/log/checkpoint")
    ]
    for note in notes:
        opened = open_checkpoint(note, [KEY.verifier("odd.example")])
        assert opened.signed == {KEY.verifier("odd.example"): NOW}
        assert len(note.signatures) == 4


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("nonsense", "line 1"),
        (f"witness a {KEY.verifier('a')} ftp://x\nquorum a", "not an http"),
        (None, "can't be read"),
    ],
    ids=["nonsense", "another protocol", "no file"],  # a key made anew would differ between processes
)
def test_a_policy_that_is_none_is_refused_at_the_start(
    sqlite_url: str, tmp_path: Path, text: str | None, words: str
):
    file = tmp_path / "witnesses"
    if text is not None:
        file.write_text(text)
    with pytest.raises(WitnessPolicyRefused, match=words):
        read_policy(Settings(env="test", database_url=sqlite_url, witness_policy=file))
    told = cekal("serve", "--port", 0, cwd=tmp_path, database_url=sqlite_url, witness_policy=file)
    assert (told.code, words in told.err) == (1, True)


def test_pauses_grow_to_a_minute():
    pauses = [delay(failures).total_seconds() for failures in (1, 2, 3, 4, 5, 6, 7, 1000)]
    assert pauses == [2, 4, 8, 16, 32, 60, 60, 60]
    assert delay(10**9) == LONGEST_DELAY


def test_keys_with_one_address_are_one_witness():
    two = SigningKey.generate(KeyKind.TIMED_ML_DSA_44)
    text = (
        f"witness a {KEY.verifier('w')} https://w.example/\nwitness b {two.verifier('w')} https://w.example\n"
        f"witness c {SigningKey.generate(KeyKind.TIMED_ED25519).verifier('x')}\nquorum a"
    )
    (found,) = witnesses_of(Policy.parse(text.encode()))
    assert (found.url, len(found.keys)) == ("https://w.example", 2)
