"""`cekal demo`: creates a register, serves it, connects every checkpoint, plays the story, and keeps running."""

import asyncio
import contextlib
import signal
import tempfile
from asyncio.subprocess import Process
from pathlib import Path

import httpx2

from app.demo.api_client import ApiClient, UnexpectedAnswer
from app.demo.cast import Cast, assemble
from app.demo.checkpoints import Crowd, Delivery
from app.demo.escalation import Escalation, Pager
from app.demo.handover import print_handover
from app.demo.narrator import Narrator
from app.demo.proof import Proof
from app.demo.scenes import Scenes
from app.demo.server import LOG, Server, ServerDidNotStart, any_free_port, http_client, is_free, serving
from app.demo.witness import DemoWitness, witnessing
from app.kit.clock import legal_day, system_clock

FOLDER = Path("cekal-demo")
MARK = "DEMO.txt"
"""Name of the file that distinguishes a demonstration's folder from that of a real register."""

_LAST_WORDS = 12
_BROKEN = (UnexpectedAnswer, httpx2.HTTPError, TimeoutError, LookupError, TypeError, ValueError)
"""Errors of a step that did not receive what it needs; any other error is a fault of the demonstration."""


def run(once: bool, port: int, folder: Path | None) -> int:  # noqa: FBT001 - the command line's own signature
    """Play the demonstration, with a server, a witness and checkpoints on this machine.

    Args:
        once: whether to end after the story; otherwise the server runs on until it is interrupted.
        port: the port of the server; 0 for any free one. If it is taken and `once` is True, another port is used. If it
            is taken and `once` is False, nothing is played and 1 is returned.
        folder: the folder of the register, new or existing. None is `FOLDER`, or with `once` a temporary folder.

    Returns:
        0, or 1 if a claim was false, a step failed, the story was interrupted, or the port or folder can't be used.
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
            _print_failures(narrator, folder / LOG)
    return 1 if failed or narrator.failures else 0


def _prepare(folder: Path) -> str:
    """Create the folder. Returns why it can't be used, "" if it can."""
    if (folder / "register.db").exists() and not (folder / MARK).exists():
        return f"{folder} holds a register that is no demonstration's. Name another folder."
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / MARK).write_text("A demonstration's register: every person in it is invented.\n", "utf-8")
    except OSError as error:
        return f"{folder} can't be used: {error.strerror}."
    return ""


async def _play(narrator: Narrator, folder: Path, port: int, *, once: bool) -> bool:
    """Run the server, the checkpoints and the story. Returns whether the demonstration failed."""
    stopped = _end_on_signals()
    cast = await _open(narrator, folder)
    pager = Pager(folder)
    pager.install()
    try:
        async with (
            witnessing(folder, cast.log_keys) as witness,
            serving(folder, port, witness.register_policy, pager.command) as server,
        ):
            narrator.say(
                f"`cekal serve` listens on {server.url}, `cekal witness` on {witness.url}, each a process of its own."
            )
            crowd = Crowd(server.url, cast.counters, await _newest_cursor(server.url, cast))
            try:
                scenes = await _play_scenes(narrator, server, cast, crowd, stopped, witness, pager)
                if narrator.failures:
                    return True
                narrator.over = True
                narrator.pause()
                narrator.say("Every claim was true.")
                if once:
                    return False
                print_handover(narrator, server.url, folder, cast, scenes)
                await _stay(narrator, crowd, server.process, stopped)
            finally:
                await crowd.disconnect_all()
    except ServerDidNotStart as error:
        narrator.failed(str(error))
    return True


def _end_on_signals() -> asyncio.Event:
    """Register signal handlers that cancel this task, also when the terminal is closed, so that the server is ended.

    Ctrl-C has a handler too, because a shell makes processes in the background ignore it.

    Returns:
        An event that is set by a signal, since a library may lose the cancellation.
    """
    task, stopped = asyncio.current_task(), asyncio.Event()
    assert task is not None, "called from a coroutine"

    def end() -> None:
        stopped.set()
        task.cancel()

    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        with contextlib.suppress(NotImplementedError, AttributeError):  # Windows has its own way for Ctrl-C
            asyncio.get_running_loop().add_signal_handler(getattr(signal, name), end)
    return stopped


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
    """Return the cursor after the newest alert, so that the checkpoints skip the alerts of earlier runs."""
    async with http_client(url, 1) as http:
        query: dict[str, str | int] = {"limit": 500}
        while True:
            answer = await http.get("/v1/alerts", params=query, headers=cast.counter.headers)
            page = answer.raise_for_status().json()
            if not page["more"]:
                return str(page["cursor"])
            query["after"] = page["cursor"]


async def _play_scenes(
    narrator: Narrator,
    server: Server,
    cast: Cast,
    crowd: Crowd,
    stopped: asyncio.Event,
    witness: DemoWitness,
    pager: Pager,
) -> Scenes:
    connected = await crowd.connect_all()
    narrator.say(f"{connected} of {len(crowd)} checkpoints are connected, each by a stream of its own.")
    async with http_client(server.url, 4) as http:
        api = ApiClient(http, narrator)
        today = legal_day(system_clock())
        scenes = Scenes(api, narrator, crowd, cast, today)
        escalation = Escalation(api, narrator, crowd, cast, today, pager, server)
        proof = Proof(api, narrator, cast, witness)
        for scene in (*scenes.all, *escalation.all, proof.verify_as_a_stranger, proof.refuse_a_fork):
            if stopped.is_set():
                raise asyncio.CancelledError
            try:
                await scene()
            except _BROKEN as error:
                narrator.failed(f"{str(error) or type(error).__name__}; the story can't go on")
                break
    return scenes


async def _stay(narrator: Narrator, crowd: Crowd, process: Process, stopped: asyncio.Event) -> None:
    """Wait for a signal or for the end of the server, and print the alerts that are raised until then."""
    news = asyncio.create_task(_print_new_alerts(narrator, crowd))
    ends = [asyncio.create_task(process.wait()), asyncio.create_task(stopped.wait())]
    try:
        await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        if stopped.is_set():
            raise asyncio.CancelledError
        narrator.failed("The server has ended by itself.")
    finally:
        for task in (news, *ends):
            task.cancel()
        await asyncio.gather(news, *ends, return_exceptions=True)


async def _print_new_alerts(narrator: Narrator, crowd: Crowd) -> None:
    known = set(crowd.deliveries)
    while True:
        crowd.changed.clear()
        await crowd.changed.wait()
        for alert_id, delivery in crowd.deliveries.items():
            if alert_id not in known and len(delivery.arrived) == len(crowd):
                known.add(alert_id)
                narrator.say(_news(delivery))


def _news(delivery: Delivery) -> str:
    alert = delivery.alert
    about = alert["entry"]["full_name"] if alert["entry"] else alert["message"]
    return f"Alert ({alert['kind']}): {about} - all {len(delivery.arrived)} checkpoints have it."


def _print_failures(narrator: Narrator, log: Path) -> None:
    narrator.paste("These claims were false:", [f"- {failure}" for failure in narrator.failures])
    if log.exists():
        lines = log.read_text("utf-8", errors="replace").splitlines()
        warnings = [line for line in lines if '"level":"INFO"' not in line]
        narrator.paste("What the server warned of:", warnings[-_LAST_WORDS:] or ["nothing"])
