"""The command that pages: real programs that end, hang, fork, flood their output and can't be started."""

import ast
import asyncio
import os
import sys
from pathlib import Path

import pytest
import uvloop

from app.alerting.channels.command import Command
from app.alerting.channels.domain import Message, Outcome, SendState
from tests.support.waiting import until

MESSAGE = Message("esc_01abc", "+6281200000000", "Peringatan / alert", "Segera hubungi é.", drill=False)


def script(folder: Path, body: str) -> tuple[str, ...]:
    path = folder / "page.py"
    path.write_text(f"import os, sys, time, signal, subprocess\n{body}\n", encoding="utf-8")
    return (sys.executable, str(path))


def open_files() -> int:
    """Returns the number of this process's open files, sockets and pipes."""
    return len(list(Path("/proc/self/fd").iterdir()))


def alive(pid: int) -> bool:
    """Returns whether a process runs; one that has ended and was not yet collected does not."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


async def sent(folder: Path, body: str, *, seconds: float = 20, message: Message = MESSAGE) -> Outcome:
    return await Command(script(folder, body), seconds).send(message)


@pytest.mark.parametrize("drill", [False, True])
async def test_a_command_gets_address_id_and_text_and_no_secret(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, drill: bool
) -> None:
    monkeypatch.setenv("CEKAL_KEY_PEPPER", "a secret")
    message = Message("esc_01abc", "+6281200000000", "s", "Segera hubungi é.", drill=drill)
    body = f"""
got = (sys.stdin.buffer.read(), dict(os.environ), sys.argv[1:])
open({str(tmp_path / "got")!r}, "w").write(repr(got))
"""
    arguments = (*script(tmp_path, body), "--to", "a b; rm -rf $HOME")
    outcome = await Command(arguments, 20).send(message)
    assert outcome.state is SendState.SENT
    text, environment, rest = ast.literal_eval((tmp_path / "got").read_text(encoding="utf-8"))
    assert text.decode() == ("LATIHAN / DRILL: " if drill else "") + "Segera hubungi é."
    assert rest == ["--to", "a b; rm -rf $HOME"]
    given = {name: value for name, value in environment.items() if name.startswith("CEKAL_")}
    assert given == {
        "CEKAL_PAGE_ADDRESS": "+6281200000000",
        "CEKAL_PAGE_ID": "esc_01abc",
        "CEKAL_PAGE_DRILL": "1" if drill else "0",
    }
    assert set(environment) - set(given) <= {"HOME", "LANG", "LC_ALL", "LC_CTYPE", "PATH", "TZ"}


@pytest.mark.parametrize(
    ("body", "state", "detail"),
    [
        ("print('queued as 17')", SendState.SENT, "queued as 17"),
        ("sys.exit(75)", SendState.TRANSIENT, "exit code 75"),
        ("sys.exit('no credit\\x1b[31m\\nleft')", SendState.PERMANENT, "exit code 1: no credit [31m left"),
        ("print('x' * 1000); sys.exit(2)", SendState.PERMANENT, "exit code 2: " + "x" * 186 + "…"),
        ("os.kill(os.getpid(), signal.SIGTERM)", SendState.PERMANENT, "exit code -15"),
        ("os.write(1, b'\\xff')", SendState.SENT, "\ufffd"),
    ],
    ids=["sent", "try_again", "failed", "wordy", "killed", "no_text"],
)
async def test_the_exit_code_says_what_became_of_it(
    tmp_path: Path, body: str, state: SendState, detail: str
) -> None:
    outcome = await sent(tmp_path, body)
    assert (outcome.state, outcome.detail) == (state, detail)
    assert outcome.ms > 0


async def test_a_command_that_reads_nothing_is_no_fault(tmp_path: Path) -> None:
    long = Message("a", "+62812", "s", "x" * 1_000_000, drill=False)
    assert (await sent(tmp_path, "sys.stdin.close()", message=long)).state is SendState.SENT
    outcome = await sent(tmp_path, "time.sleep(60)", message=long, seconds=0.5)
    assert outcome.state is SendState.TRANSIENT


async def test_a_command_that_hangs_is_killed_with_all_that_it_has_started(tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    body = f"""
signal.signal(signal.SIGTERM, signal.SIG_IGN)
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
open({str(pids)!r}, "w").write(f"{{os.getpid()}} {{child.pid}}")
time.sleep(600)
"""
    outcome = await sent(tmp_path, body, seconds=2)
    assert (outcome.state, outcome.detail) == (
        SendState.TRANSIENT,
        "It took longer than 2 s, and was killed.",
    )
    for pid in pids.read_text(encoding="ascii").split():
        await until(lambda pid=pid: not alive(int(pid)))  # type: ignore[misc]


@pytest.mark.parametrize(
    "factory", [asyncio.new_event_loop, uvloop.new_event_loop], ids=["asyncio", "uvloop"]
)
def test_a_command_that_leaves_a_process_behind_is_not_waited_for(tmp_path: Path, factory: object) -> None:
    pid = tmp_path / "pid"
    body = f"""
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
open({str(pid)!r}, "w").write(str(child.pid))
print("queued")
"""
    with asyncio.Runner(loop_factory=factory) as runner:  # type: ignore[arg-type]
        outcome = runner.run(sent(tmp_path, body, seconds=30))
    assert (outcome.state, outcome.detail) == (SendState.SENT, "queued")
    os.kill(int(pid.read_text(encoding="ascii")), 9)


@pytest.mark.parametrize(
    "factory", [asyncio.new_event_loop, uvloop.new_event_loop], ids=["asyncio", "uvloop"]
)
def test_a_command_that_floods_its_output_is_stopped(tmp_path: Path, factory: object) -> None:
    body = "while True: os.write(2, b'y' * 60000)"
    with asyncio.Runner(loop_factory=factory) as runner:  # type: ignore[arg-type]
        outcome = runner.run(sent(tmp_path, body, seconds=60))
    assert outcome.state is SendState.PERMANENT
    assert outcome.detail == "It wrote more than 65536 bytes, and was killed."


async def test_a_cancelled_command_is_killed(tmp_path: Path) -> None:
    pid = tmp_path / "pid"
    body = f"""
open({str(pid)!r} + ".new", "w").write(str(os.getpid()))
os.rename({str(pid)!r} + ".new", {str(pid)!r})
time.sleep(600)
"""
    sending = asyncio.create_task(sent(tmp_path, body))
    await until(pid.exists)
    number = int(pid.read_text(encoding="ascii") or "0")
    assert alive(number)
    sending.cancel()
    with pytest.raises(asyncio.CancelledError):
        await sending
    await until(lambda: not alive(number))


async def test_a_command_that_does_not_start_is_permanent(tmp_path: Path) -> None:
    plain = tmp_path / "plain"
    plain.write_text("no program", encoding="ascii")
    for program in (tmp_path / "missing", plain, tmp_path):
        outcome = await Command((str(program),), 5).send(MESSAGE)
        assert outcome.state is SendState.PERMANENT
        assert outcome.detail.startswith("It did not start")


async def test_what_is_no_address_is_never_paged(tmp_path: Path) -> None:
    for address in ("-rf", "", "+62 812", "a\nb", "a\0b", "x" * 101):
        message = Message("a", address, "s", "t", drill=False)
        outcome = await Command(("/bin/true",), 5).send(message)
        assert outcome.state is SendState.PERMANENT


async def test_nothing_stays_open(tmp_path: Path) -> None:
    await sent(tmp_path, "pass")
    before = open_files()
    for body in ("pass", "sys.exit(1)", "time.sleep(60)"):
        await sent(tmp_path, body, seconds=1)
    await Command((str(tmp_path / "missing"),), 5).send(MESSAGE)
    assert open_files() <= before
