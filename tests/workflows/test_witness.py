"""`cekal witness`: a process and real sockets, from the first start to the proof of a fork."""

import hashlib
import signal
import sqlite3
import stat
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx2
import pytest
from tlog_scales import signing, tlog

from app.tlog.keys import KeyKind
from app.tlog.merkle import EMPTY_ROOT
from app.tlog.notes import Note
from app.tlog.signed import open_checkpoint, sign_checkpoint
from tests.support.cli import cekal
from tests.support.witnesses import ORIGIN, Log, Served, a_log, witness

HASH = hashlib.sha256(ORIGIN.encode()).hexdigest()
NOW = 1_790_000_000


@pytest.fixture(scope="module")
def log() -> Log:
    return a_log(80)


@pytest.fixture
def served(tmp_path: Path, log: Log):
    with witness(tmp_path, log.policy, "--name", "w.example/1") as running:
        yield running


def sizes(folder: Path) -> list[int]:
    """The sizes in a witness's file, read beside it."""
    with sqlite3.connect(f"file:{folder / 'data' / 'witness.db'}?mode=ro", uri=True) as connection:
        return [size for (size,) in connection.execute("SELECT size FROM head")]


def test_a_log_is_cosigned_as_it_grows(served: Served, log: Log, tmp_path: Path):
    assert served.http.get("/healthz").text == "ok\n"
    before = int(time.time())
    for old, size in ((0, 5), (5, 5), (5, 16), (16, 77), (77, 80)):
        answer = served.add(log.body(old, size, time=before))
        assert answer.headers["content-type"] == "text/plain; charset=utf-8"
        opened = served.cosigned(log.note(size), answer)
        assert {key.kind for key in opened.signed} == {KeyKind.TIMED_ED25519, KeyKind.TIMED_ML_DSA_44}
        assert all(at is not None and before <= at <= time.time() for at in opened.signed.values())
    latest = served.http.get(f"/{HASH}/checkpoint")
    opened = open_checkpoint(Note.parse(latest.content), [*log.vkeys, *served.vkeys])
    assert opened.checkpoint == log.tree.head(ORIGIN)
    assert len(opened.signed) == 5, "the log's three signatures and the witness's two"
    foreign = tlog.Checkpoint.from_text(latest.text)  # an independent implementation reads and verifies it
    for line in served.http.get("/vkeys").text.splitlines():
        foreign.verify(signing.Vkey.from_string(line))


def test_its_files_are_its_own(served: Served, tmp_path: Path):
    data = tmp_path / "data"
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in [data, *data.rglob("*")]}
    assert modes.pop("data") == modes.pop("keys") == 0o700
    assert set(modes) >= {"ed25519.pem", "ml-dsa-44.pem", "witness.db"}
    assert set(modes.values()) == {0o600}


def test_what_is_refused(served: Served, log: Log):
    good = served.add(log.body(0, 40))
    assert good.status_code == 200
    stranger, other = a_log(80), a_log(80, "other.example")
    many = [bytes(32)] * 64
    broken = log.note(50)
    broken = Note(
        broken.text,
        (broken.signatures[1], broken.signatures[0].__class__(ORIGIN, log.vkeys[0].key_id, bytes(64))),
    )
    wanted = {
        400: [
            b"", b"old", b"old 40", b"old 40\n\n", b"old 040\n\n" + str(log.note(41)).encode(),
            log.body(40, 41).replace(b"old", b"Old"), log.body(40, 41, path=many), log.body(41, 40, path=[]),
            log.body(40, 41).replace(b"\n", b"\r\n"), log.body(40, 41)[:-1], b"\xff" * 1000,
            log.body(40, 41).replace(b"old 40\n", b"old 40\n\n"), log.body(40, 41).replace(b"old 40", b"old -1"),
            log.body(40, 41).replace(b"old 40\n", b"old 40\nAAAA\n"),
        ],
        403: [
            log.body(40, 41, note=stranger.note(41)), log.body(40, 50, note=broken),
            log.body(40, 41, note=Note(log.note(41).text, log.note(42).signatures)),
            log.body(40, 41, time=int(time.time()) + 600),
        ],
        404: [other.body(0, 40), other.body(40, 41)],
        409: [log.body(0, 40), log.body(0, 80), log.body(39, 80), log.body(41, 80), log.body(39, 39)],
        422: [
            log.body(40, 41, path=[]), log.body(40, 41, path=log.tree.consistency(39, 41)),
            log.body(40, 40, path=[bytes(32)]),
            log.body(40, 80, path=[*log.tree.consistency(40, 80), bytes(32)]),
            log.body(40, 80, path=log.tree.consistency(40, 80)[::-1]), log.body(40, 80, path=[bytes(32)] * 63),
        ],
    }  # fmt: skip
    for status, bodies in wanted.items():
        for body in bodies:
            answer = served.add(body)
            assert answer.status_code == status, (status, body[:200], answer.text)
            if status == 409:
                assert (answer.text, answer.headers["content-type"]) == ("40\n", "text/x.tlog.size")
    assert served.add(log.body(40, 41)).status_code == 200, "and none of them changed anything"


def test_the_empty_tree(served: Served, log: Log):
    head = log.tree.head(ORIGIN, 0)
    assert head.root == EMPTY_ROOT
    lying = sign_checkpoint(type(head)(ORIGIN, 0, bytes(32)), log.keys, 0)
    assert served.add(log.body(0, 0, note=lying)).text == "0\n", (
        "as with every head of a known size and another root"
    )
    assert served.add(log.body(0, 3, path=[bytes(32)])).status_code == 422
    assert served.http.get(f"/{HASH}/checkpoint").status_code == 404
    assert served.add(log.body(0, 0)).status_code == 200
    assert served.add(log.body(0, 7)).status_code == 200
    assert served.add(log.body(0, 7)).text == "7\n"


def test_manners_of_http(served: Served, log: Log):
    assert served.http.get("/add-checkpoint").status_code == 405
    assert served.http.get("/add-checkpoint").headers["allow"] == "POST"
    assert served.http.post("/vkeys").status_code == 405
    assert served.http.get("/").status_code == served.http.get("/nothing/at/all").status_code == 404
    assert served.http.get("/" + "0" * 64 + "/checkpoint").status_code == 404
    assert served.http.get("/%00/checkpoint").status_code == 404
    assert served.http.head("/vkeys").status_code == 200
    assert served.add(b"x" * (200 * 1024)).status_code == 413
    with httpx2.Client(base_url=served.url) as fresh:
        chunks = (b"x" * 1024 for _ in range(1000))
        assert fresh.post("/add-checkpoint", content=chunks).status_code == 413
    assert served.add(log.body(0, 3)).status_code == 200


def test_every_signature_of_a_crowded_note_is_ignored_but_the_logs(served: Served, log: Log):
    note = log.note(9)
    crowd = a_log(9).note(9).signatures * 10
    crowded = Note(note.text, (*crowd, *note.signatures, *[note.signatures[0]] * 20))
    served.cosigned(note, served.add(log.body(0, 9, note=crowded)))
    latest = Note.parse(served.http.get(f"/{HASH}/checkpoint").content)
    assert len(latest.signatures) == 5
    assert served.add(log.body(9, 10)).status_code == 200


def test_two_submissions_at_once(served: Served, log: Log):
    """From one size two ways lead on; one is taken, and the other is told so."""
    other = log.forked(40)
    assert served.add(log.body(0, 40)).status_code == 200
    bodies = [each.body(40, size) for each in (log, other) for size in range(41, 49)]
    gate = threading.Barrier(len(bodies))

    def submit(body: bytes) -> httpx2.Response:
        gate.wait()
        return served.add(body)

    with ThreadPoolExecutor(len(bodies)) as pool:
        answers = list(pool.map(submit, bodies))
    taken = [at for at, answer in enumerate(answers) if answer.status_code == 200]
    assert len(taken) == 1
    assert {answer.status_code for answer in answers} == {200, 409}
    size = 41 + taken[0] % 8
    assert {answer.text for answer in answers if answer.status_code == 409} == {f"{size}\n"}


def test_it_ends_soon_and_is_the_same_afterwards(tmp_path: Path, log: Log):
    with witness(tmp_path, log.policy, "--name", "w.example/1") as first:
        keys = first.vkeys
        assert [key.name for key in keys] == ["w.example/1"] * 2
        assert first.add(log.body(0, 40)).status_code == 200
        begun = time.monotonic()
        assert first.process.end() == 0
        assert time.monotonic() - begun < 5
    with witness(tmp_path, log.policy) as second:
        assert second.vkeys == keys
        assert second.add(log.body(0, 41)).text == "40\n"
        assert second.add(log.body(40, 41)).status_code == 200
    refused = cekal(
        "witness",
        "--policy",
        tmp_path / "policy",
        "--data-dir",
        tmp_path / "data",
        "--name",
        "x",
        cwd=tmp_path,
    )
    assert (refused.code, "never changed" in refused.err) == (2, True)


def test_sudden_death_between_storing_and_answering(tmp_path: Path, log: Log):
    """What a reader may have seen is stored; what was stored is answered again."""
    for size in (20, 40, 60):
        old = (sizes(tmp_path) or [0])[0] if (tmp_path / "data").exists() else 0
        with witness(tmp_path, log.policy) as served, ThreadPoolExecutor(1) as pool:
            sending = pool.submit(_submit_and_forget, served, log.body(old, size))
            until = time.monotonic() + 30
            while sizes(tmp_path) != [size]:
                assert time.monotonic() < until
            served.process.end(signal.SIGKILL)
            sending.exception()
        with witness(tmp_path, log.policy) as served:
            assert served.add(log.body(0, size)).text == f"{size}\n"
            served.cosigned(log.note(size), served.add(log.body(size, size)))


def _submit_and_forget(served: Served, body: bytes) -> None:
    with httpx2.Client(base_url=served.url, timeout=30) as http:
        http.post("/add-checkpoint", content=body)


def test_no_answer_is_ever_taken_back(tmp_path: Path, log: Log):
    """Killed at any moment: each size that was answered is stored."""
    answered = 0
    for round_ in range(3):
        with witness(tmp_path, log.policy) as served:
            killer = threading.Timer(round_ * 0.07, served.process.process.kill)
            try:
                for size in range(answered, 81):
                    answer = served.add(log.body(answered, size))
                    if answer.status_code == 409:  # stored before the last death, and not answered
                        answered = int(answer.text)
                        continue
                    assert answer.status_code == 200
                    answered = size
                    if killer.ident is None:
                        killer.start()
            except httpx2.TransportError:
                pass
            killer.join()
        assert sizes(tmp_path)[0] >= answered
    assert answered > 0


def test_a_fork_is_refused_and_proved(tmp_path: Path, log: Log):
    fork = log.forked(20)
    with witness(tmp_path, log.policy) as served:
        assert served.add(log.body(0, 30)).status_code == 200
        same_size = served.add(fork.body(30, 30))
        assert (same_size.status_code, same_size.text) == (409, "30\n")
        assert same_size.headers["content-type"] == "text/x.tlog.size"
        assert served.add(fork.body(30, 45)).status_code == 422
        for _ in range(2):  # shown again, it is kept once
            assert served.add(fork.body(0, 30)).status_code == 409
        assert served.add(log.body(30, 45)).status_code == 200, "the first past is cosigned on"
        listed = cekal("witness", "evidence", "--data-dir", tmp_path / "data", "--json", cwd=tmp_path)
        assert [each["kind"] for each in listed.json] == ["two-roots", "other-leaves"]
    (tmp_path / "published").write_text(log.policy + "quorum none\n")
    (tmp_path / "others").write_text(a_log(1).policy + "quorum none\n")
    for each in listed.json:
        number, kind = each["number"], each["kind"]
        printed = cekal("witness", "evidence", number, "--data-dir", tmp_path / "data", cwd=tmp_path)
        (tmp_path / "fork.txt").write_text(printed.out)
        proved = cekal("witness", "verify", "fork.txt", "--policy", "published", cwd=tmp_path)
        assert (proved.code, proved.out) == (0, f"Proved: {kind}.\n")
        denied = cekal("witness", "verify", "fork.txt", "--policy", "others", cwd=tmp_path)
        assert (denied.code, denied.out[:11]) == (1, "Not proved:")
    table = cekal("witness", "evidence", "--data-dir", tmp_path / "data", cwd=tmp_path)
    assert "two-roots" in table.out
    assert cekal("witness", "evidence", 9, "--data-dir", tmp_path / "data", cwd=tmp_path).code == 2


def test_a_rollback_is_refused_and_proved(tmp_path: Path, log: Log):
    now = int(time.time())
    with witness(tmp_path, log.policy) as served:
        assert served.add(log.body(0, 30, time=now - 20)).status_code == 200
        assert served.add(log.body(20, 20, time=now - 30)).status_code == 409, "an older head accuses nobody"
        assert _kinds(tmp_path) == []
        assert served.add(log.body(20, 20, time=now - 10)).status_code == 409
        assert served.add(log.body(30, 20, time=now - 10, path=[])).status_code == 400
    assert _kinds(tmp_path) == ["rollback"]


def test_a_wrong_proof_of_a_right_head_accuses_nobody_for_long(tmp_path: Path, log: Log):
    with witness(tmp_path, log.policy) as served:
        assert served.add(log.body(0, 30)).status_code == 200
        assert served.add(log.body(30, 45, path=[bytes(32)] * 6)).status_code == 422
        assert _kinds(tmp_path) == ["unproved"]
        (tmp_path / "doubt.txt").write_text(
            cekal("witness", "evidence", 1, "--data-dir", tmp_path / "data", cwd=tmp_path).out
        )
        denied = cekal("witness", "verify", "doubt.txt", "--policy", "policy", cwd=tmp_path)
        assert denied.code == 1
        assert served.add(log.body(30, 45)).status_code == 200
        assert _kinds(tmp_path) == []


def _kinds(folder: Path) -> list[str]:
    told = cekal("witness", "evidence", "--data-dir", folder / "data", "--json", cwd=folder)
    return [each["kind"] for each in told.json]


def test_a_restored_register_waits_for_the_operator(tmp_path: Path, log: Log):
    restored = a_log(80, "register.example/2")
    with witness(tmp_path, log.policy) as served:
        assert served.add(log.body(0, 30)).status_code == 200
        assert served.add(restored.body(0, 30)).status_code == 404
        policy = tmp_path / "policy"
        policy.write_text("nonsense\n")
        served.process.process.send_signal(signal.SIGHUP)
        assert "line 1" in served.process.heard_with("policy stays")["message"]
        assert served.add(log.body(30, 31)).status_code == 200, "a policy that is none changes nothing"
        policy.write_text(log.policy + restored.policy + "quorum none\n")
        served.process.process.send_signal(signal.SIGHUP)
        assert served.process.heard("policy")["logs"] == [ORIGIN, "register.example/2"]
        assert served.add(restored.body(0, 30)).status_code == 200
        assert served.add(log.body(31, 32)).status_code == 200


def test_a_clock_ten_minutes_wrong(tmp_path: Path, log: Log):
    clock = tmp_path / "clock"
    right = datetime.now(UTC)

    def set_clock(minutes: int) -> int:
        moment = right + timedelta(minutes=minutes)
        clock.write_text(moment.isoformat())
        return int(moment.timestamp())

    now = set_clock(0)
    with witness(tmp_path, log.policy, env="test", test_clock=clock) as served:
        assert served.add(log.body(0, 10, time=now)).status_code == 200
        ahead = served.add(log.body(10, 11, time=now + 600))  # the log's clock is ahead, or ours behind
        assert (ahead.status_code, "ahead" in ahead.text) == (403, True)
        assert served.add(log.body(10, 11, time=now - 600)).status_code == 200, "an old head may come late"
        set_clock(-10)
        behind = served.add(log.body(11, 12))
        assert (behind.status_code, "behind" in behind.text) == (503, True)
        assert served.http.get("/healthz").status_code == 503
        set_clock(0)
        assert served.add(log.body(11, 12)).status_code == 200
        set_clock(10)
        assert served.add(log.body(12, 13)).status_code == 200
        set_clock(0)
        assert served.add(log.body(13, 14)).status_code == 503
    with witness(tmp_path, log.policy, "--accept-clock", env="test", test_clock=clock) as served:
        assert served.add(log.body(13, 14)).status_code == 200


def test_what_does_not_start(tmp_path: Path, log: Log):
    policy, data = tmp_path / "policy", tmp_path / "data"

    def start(*more: object, **settings: object) -> str:
        told = cekal(
            "witness", "--policy", policy, "--data-dir", data, "--port", 0, *more, cwd=tmp_path, **settings
        )
        assert told.code in {1, 2}, told
        return told.err

    assert "--policy is missing" in cekal("witness", cwd=tmp_path).err
    assert "No such file" in start()
    policy.write_text("quorum none\n")
    assert "names no log" in start()
    policy.write_text("log nonsense\nquorum none\n")
    assert "line 1" in start()
    policy.write_text(log.policy + "quorum none\n")
    assert "like a host" in start("--name", "two words")
    assert "Can't listen" in start("--host", "192.0.2.1")
    (tmp_path / "clock").write_text(datetime.now(UTC).isoformat())
    assert "loopback" in start("--host", "0.0.0.0", env="test", test_clock=tmp_path / "clock")
    with witness(tmp_path, log.policy):
        pass
    (data / "keys" / "ed25519.pem").chmod(0o640)
    assert "chmod 600" in start()
    assert "can't be read" in cekal("witness", "evidence", "--data-dir", tmp_path / "no", cwd=tmp_path).err
