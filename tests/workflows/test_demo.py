"""`cekal demo`: the whole story with a real server and 171 real streams, and what it says when something is wrong."""

import asyncio
import os
import re
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path

import httpx2
import pytest

from app.demo import story
from app.demo.cast import Holder
from app.demo.checkpoints import Crowd, Event, EventParser
from app.demo.narrator import Narrator
from app.demo.people import INDONESIA, UTOPIA, Person
from app.demo.server import any_free_port, is_free
from app.demo.story import FOLDER, run
from app.identity import mrz
from app.kit.clock import legal_day, system_clock

LONGEST = 180
"""Seconds after which a story is taken for stuck."""

PLAY = "import sys; from app.demo.story import run; raise SystemExit(run({once}, {port}, None))"
IN_THE_BACKGROUND = "trap '' INT; exec \"$@\""
"""What a shell starts with `&` ignores Ctrl-C, unless it asks for it, and so would whatever CI starts it."""

ROOT = Path(__file__).parents[2]


def start(cwd: Path, *, once: bool, port: int) -> subprocess.Popen[str]:
    """The demonstration in a process of its own, in an empty environment but for settings that it must ignore."""
    environment = {
        "PATH": "/usr/bin:/bin",
        "PYTHONPATH": str(ROOT),
        "PYTHONUTF8": "1",
        "TMPDIR": str(cwd),
        "CEKAL_DATABASE_URL": "postgresql://nobody@nowhere.invalid/register",
        "CEKAL_URGENT_COUNTERSIGN_FIRST": "true",
    }
    return subprocess.Popen(
        ["sh", "-c", IN_THE_BACKGROUND, "sh", sys.executable, "-c", PLAY.format(once=once, port=port)],
        cwd=cwd,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def test_the_story_told_once_needs_nothing_and_leaves_nothing(tmp_path: Path):
    with start(tmp_path, once=True, port=any_free_port()) as process:
        said, _ = process.communicate(timeout=LONGEST)
    assert process.returncode == 0, said
    assert "171 of 171 checkpoints have the alert" in said
    assert "Every claim was true." in said
    assert "Proved: two-roots." in said
    assert [int(number) for number in re.findall(r"^ ?(\d+)\. ", said, re.MULTILINE)] == list(range(1, 21))
    assert "\N{BALLOT X}" not in said
    assert "\x1b" not in said
    assert max(map(len, said.splitlines())) <= 80
    assert list(tmp_path.iterdir()) == []


def interrupted(
    cwd: Path, port: int, *, after: str, number: signal.Signals = signal.SIGINT
) -> tuple[int, str]:
    """The exit code, and what was said, of a demonstration that is interrupted as by a terminal: its whole group is."""
    said = ""
    with start(cwd, once=False, port=port) as process:
        assert process.stdout is not None
        stuck = threading.Timer(LONGEST, process.kill)
        stuck.start()
        while after not in said and (line := process.stdout.readline()):
            said += line
        os.killpg(process.pid, number)
        said += process.stdout.read()
        stuck.cancel()
    return process.returncode, said


def test_it_stays_up_until_interrupted_and_goes_on_with_its_register_the_next_time(tmp_path: Path):
    port = any_free_port()
    code, said = interrupted(tmp_path, port, after="Ctrl-C ends")
    assert code == 0, said
    assert is_free(port), "the server has ended too"
    log = (tmp_path / FOLDER / "server.log").read_text()
    assert '"message":"ready"' in log, "it is `cekal serve`"
    assert "New register in cekal-demo" in said
    assert said.endswith("Ended.\n")
    assert re.search(r"^curl .*/healthz$", said, re.MULTILINE)
    assert (tmp_path / FOLDER / "urgent-entry.json").exists()

    play = (
        "from pathlib import Path; from app.demo.story import run; raise SystemExit(run(True, 0, Path({!r})))"
    )
    again = subprocess.run(
        [sys.executable, "-c", play.format(str(FOLDER))],
        cwd=tmp_path,
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(ROOT), "PYTHONUTF8": "1"},
        capture_output=True,
        text=True,
        timeout=LONGEST,
        check=False,
    )
    assert again.returncode == 0, again.stdout + again.stderr
    assert "Going on with the register in cekal-demo" in again.stdout


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGHUP], ids=["Ctrl-C", "the terminal is closed"])
def test_it_leaves_no_server_behind_where_the_story_is_not_over(tmp_path: Path, number: signal.Signals):
    port = any_free_port()
    code, said = interrupted(tmp_path, port, after="are connected", number=number)
    assert code == 1, said
    assert said.endswith("Interrupted before the story was over.\n")
    assert is_free(port)


class Deaf(httpx2.AsyncBaseTransport):
    """A connection that loses every cancellation, as a library does whose deadline passes in the same instant."""

    def __init__(self) -> None:
        self.asked = asyncio.Event()

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        self.asked.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            raise httpx2.ReadTimeout("lost", request=request) from None
        raise AssertionError("never answered")


async def test_streams_end_though_every_cancellation_of_a_connection_is_lost():
    crowd = Crowd("http://nowhere.invalid", {"CGK": Holder("a counter", "checkpoint", "key")}, "1.0")
    for ways in (crowd.streams, crowd.receipts):
        await ways.aclose()
    deaf = Deaf()
    crowd.streams = crowd.receipts = httpx2.AsyncClient(transport=deaf, base_url="http://nowhere.invalid")
    crowd.connect("CGK")
    crowd.systems["CGK"]._handle({"id": "alr_1", "kind": "raise", "entry": None})
    await deaf.asked.wait()
    await asyncio.sleep(0)
    async with asyncio.timeout(20):
        await crowd.disconnect_all()
    left = asyncio.all_tasks() - {asyncio.current_task()}
    assert left == set(), "asyncio.run cancels what is left once more, and would wait for it for ever"


def test_a_taken_port_is_said_with_another_to_try(capsys: pytest.CaptureFixture[str], tmp_path: Path):
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        assert run(False, port, tmp_path) == 1
    assert re.search(rf"Port {port} is taken.*cekal demo --port \d+", capsys.readouterr().out)


def test_a_folder_with_somebody_elses_register_is_left_alone(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
):
    (tmp_path / "register.db").write_bytes(b"precious")
    assert run(True, 0, tmp_path) == 1
    assert "no demonstration's" in " ".join(capsys.readouterr().out.split())
    assert [path.name for path in tmp_path.iterdir()] == ["register.db"]


def test_a_wrong_answer_ends_in_exit_code_1_and_says_what_failed(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    async def play(narrator: Narrator, *_: object, once: bool) -> bool:
        narrator.step("A passport is checked")
        narrator.claim("It is clear", False, "refuse")
        return not once

    monkeypatch.setattr(story, "_play", play)
    assert run(True, 0, tmp_path) == 1
    assert "- step 1: It is clear (found: refuse)" in capsys.readouterr().out


STREAM = (
    "retry: 1500\n\n: a comment\nid: e.7\nevent: alert\ndata: one\u2028line\r\n\r\n"
    "event: heartbeat\ndata:two\ndata: three\n\n"
    "id: e.9\nevent: alert\ndata: cut off here"
).encode()


@pytest.mark.parametrize("size", [1, 2, 7, len(STREAM)])
def test_events_are_the_same_however_the_bytes_are_cut(size: int):
    parser = EventParser("e.5")
    chunks = [STREAM[at : at + size] for at in range(0, len(STREAM), size)]
    events = [event for chunk in chunks for event in parser.feed(chunk)]
    assert events == [Event("alert", "one\u2028line"), Event("heartbeat", "two\nthree")]
    assert parser.retry == 1.5
    assert parser.last_id == "e.7", "an event that was not complete is asked for again"


@pytest.mark.parametrize("state", [INDONESIA, UTOPIA])
def test_an_invented_passport_scans_without_a_fault(state: str):
    person = Person.invent(state)
    read = mrz.parse(person.mrz, legal_day(system_clock()))
    assert read.valid, read.fails
    assert (read.document_number, read.nationality) == (person.passport, state)
    assert read.birth is not None
    assert read.birth.date == str(person.birth)
    assert read.name == person.name.upper()
