"""`cekal demo`: found a register, serve it, connect every checkpoint, tell the story, stay up."""

import asyncio
import contextlib
import signal
import tempfile
from asyncio.subprocess import Process
from pathlib import Path

import httpx2

from app.demo.cast import Cast, assemble
from app.demo.checkpoints import Crowd, Spread
from app.demo.desk import Desk, UnexpectedAnswer
from app.demo.handover import hand_over
from app.demo.narrator import Narrator
from app.demo.scenes import Scenes
from app.demo.server import LOG, ServerDidNotStart, any_free_port, http_client, is_free, serving
from app.kit.clock import legal_day, system_clock

FOLDER = Path("cekal-demo")
MARK = "DEMO.txt"
"""What tells a demonstration's folder from one with somebody's register in it."""

_LAST_WORDS = 12
_BROKEN = (UnexpectedAnswer, httpx2.HTTPError, TimeoutError, LookupError, TypeError, ValueError)
"""How a step ends that did not get what it needs; anything else is a fault of the demonstration itself."""


def run(once: bool, port: int, folder: Path | None) -> int:  # noqa: FBT001 - the command line's own signature
    """Play the demonstration.

    Args:
        once: end after the story, and remove the folder where none was named.
        port: where the server listens on this machine; 0 for any; with `once` another one where it is taken.
        folder: where the register lies or is to lie.

    Returns:
        0, or 1 where something was not as told.
    """
    narrator = Narrator()
    if port == 0 or not is_free(port):
        if port and not once:
            narrator.say(f"Port {port} is taken. Try another one: cekal demo --port {any_free_port()}")
            return 1
        port = any_free_port()
    with contextlib.ExitStack() as stack:
        if folder is None and once:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="cekal-demo-")))
        folder = folder or FOLDER
        refusal = _prepare(folder)
        if refusal:
            narrator.say(refusal)
            return 1
        try:
            failed = asyncio.run(_play(narrator, folder, port, once=once))
        except (KeyboardInterrupt, asyncio.CancelledError):
            narrator.pause()
            narrator.say("Ended." if narrator.over else "Interrupted before the story was over.")
            failed = not narrator.over
        if narrator.failures:
            _tell_failures(narrator, folder / LOG)
    return 1 if failed or narrator.failures else 0


def _prepare(folder: Path) -> str:
    """Make the folder; why it can't be used, "" where it can."""
    if (folder / "register.db").exists() and not (folder / MARK).exists():
        return f"{folder} holds a register that is no demonstration's. Name another folder."
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / MARK).write_text("A demonstration's register: every person in it is invented.\n", "utf-8")
    except OSError as error:
        return f"{folder} can't be used: {error.strerror}."
    return ""


async def _play(narrator: Narrator, folder: Path, port: int, *, once: bool) -> bool:
    """Everything between the first line and the last; whether it went wrong."""
    _end_on_sigterm()
    cast = await _open(narrator, folder)
    try:
        async with serving(folder, port) as (url, process):
            narrator.say(f"The server listens on {url}, a process of its own.")
            crowd = Crowd(url, cast.counters, await _newest_cursor(url, cast))
            try:
                scenes = await _tell(narrator, url, cast, crowd)
                if narrator.failures:
                    return True
                narrator.over = True
                narrator.pause()
                narrator.say("Everything came as told.")
                if once:
                    return False
                hand_over(narrator, url, folder, cast, scenes)
                await _stay(narrator, crowd, process)
            finally:
                await crowd.part()
    except ServerDidNotStart as error:
        narrator.failed(str(error))
    return True


def _end_on_sigterm() -> None:
    task = asyncio.current_task()
    assert task is not None, "called from a coroutine"
    with contextlib.suppress(NotImplementedError):  # Windows knows no such signal
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)


async def _open(narrator: Narrator, folder: Path) -> Cast:
    narrator.title("CEKAL - Indonesia's travel-ban register, shown at work")
    narrator.say("Every person here is invented; the checkpoints and agencies are the real ones.")
    narrator.pause()
    cast = await assemble(folder)
    new = cast.founded
    if new.checkpoints:
        narrator.say(f"New register in {folder}: {new.checkpoints} checkpoints, {new.agencies} agencies.")
    else:
        narrator.say(f"Going on with the register in {folder}.")
    return cast


async def _newest_cursor(url: str, cast: Cast) -> str:
    """Where the checkpoints stand: they have handled every alert of earlier runs."""
    async with http_client(url, 1) as http:
        query: dict[str, str | int] = {"limit": 500}
        while True:
            answer = await http.get("/v1/alerts", params=query, headers=cast.counter.headers)
            page = answer.raise_for_status().json()
            if not page["more"]:
                return str(page["cursor"])
            query["after"] = page["cursor"]


async def _tell(narrator: Narrator, url: str, cast: Cast, crowd: Crowd) -> Scenes:
    connected = await crowd.gather()
    narrator.say(f"{connected} of {len(crowd)} checkpoints are connected, each by a stream of its own.")
    async with http_client(url, 4) as http:
        scenes = Scenes(Desk(http, narrator), narrator, crowd, cast, legal_day(system_clock()))
        for scene in scenes.all:
            try:
                await scene()
            except _BROKEN as error:
                narrator.failed(f"{str(error) or type(error).__name__}; the story can't go on")
                break
    return scenes


async def _stay(narrator: Narrator, crowd: Crowd, process: Process) -> None:
    """Stay up until told to end, or until the server ends; tell of alerts that are raised meanwhile."""
    news = asyncio.create_task(_tell_news(narrator, crowd))
    try:
        await process.wait()
        narrator.failed("The server has ended by itself.")
    finally:
        news.cancel()
        await asyncio.gather(news, return_exceptions=True)


async def _tell_news(narrator: Narrator, crowd: Crowd) -> None:
    known = set(crowd.spreads)
    while True:
        crowd.changed.clear()
        await crowd.changed.wait()
        for alert_id, spread in crowd.spreads.items():
            if alert_id not in known and len(spread.came) == len(crowd):
                known.add(alert_id)
                narrator.say(_news(spread))


def _news(spread: Spread) -> str:
    alert = spread.alert
    about = alert["entry"]["full_name"] if alert["entry"] else alert["message"]
    return f"Alert ({alert['kind']}): {about} - all {len(spread.came)} checkpoints have it."


def _tell_failures(narrator: Narrator, log: Path) -> None:
    narrator.paste("Not everything came as told:", [f"- {failure}" for failure in narrator.failures])
    if log.exists():
        lines = log.read_text("utf-8", errors="replace").splitlines()
        warnings = [line for line in lines if '"level":"INFO"' not in line]
        narrator.paste("What the server warned of:", warnings[-_LAST_WORDS:] or ["nothing"])
