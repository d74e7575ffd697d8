"""A checkpoint's system: listens to alerts, confirms them, asks about travellers, and goes on without a line.

    python checkpoint.py listen                        alerts, a JSON line each, until Ctrl-C
    python checkpoint.py check < question.json         the answer about one traveller
    python checkpoint.py acknowledge ALERT OFFICER     a person at this checkpoint has seen the alert

CHECKPOINT_URL, CHECKPOINT_KEY and CHECKPOINT_STATE (a file, checkpoint.json) say where, as whom, and where this keeps
what it must not forget. Needs Python 3.11 and httpx2. What each rule here is good for: docs/integrate-checkpoint.md.
"""

import contextlib
import json
import os
import random
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2

Json = dict[str, Any]
SILENCE = 45.0
"""Seconds without a byte, three heartbeats, after which a line is dead."""
PATIENCE = httpx2.Timeout(5.0, connect=2.0)
"""How long a traveller waits for the centre before the rule for a lost line holds."""
KEEP = Path(os.environ.get("CHECKPOINT_STATE", "checkpoint.json"))


def client(timeout: httpx2.Timeout = PATIENCE) -> httpx2.Client:
    headers = {"Authorization": f"Bearer {os.environ['CHECKPOINT_KEY']}"}
    return httpx2.Client(
        base_url=os.environ["CHECKPOINT_URL"], headers=headers, timeout=timeout, trust_env=False
    )


def say(event: str, **more: Any) -> None:
    print(json.dumps({"event": event, **more}), flush=True)


def recall() -> Json:
    """What is kept: the cursor, the alerts in force by their entry, and the alerts that are still to be confirmed."""
    return json.loads(KEEP.read_text("utf-8")) if KEEP.exists() else {"cursor": None, "held": {}, "due": []}


def remember(state: Json) -> None:
    """Replace the file in one step and flush it: after a power cut it is the old one or the new one, never half."""
    new = KEEP.with_suffix(".new")
    with new.open("w", encoding="utf-8") as file:
        json.dump(state, file)
        file.flush()
        os.fsync(file.fileno())
    new.replace(KEEP)


def apply(held: Json, alert: Json) -> None:
    """Take an alert into what is held; `release` ends it, and a drill is about nobody."""
    if alert["entry"] is None:
        return
    if alert["action"] == "release":
        held.pop(alert["entry"]["id"], None)
    else:
        held[alert["entry"]["id"]] = alert


def events(chunks: Iterator[bytes]) -> Iterator[dict[str, str]]:
    """The events of a stream: fields up to an empty line. Split at line feeds alone, a text may hold other breaks."""
    rest, fields = b"", {}
    for chunk in chunks:
        *lines, rest = (rest + chunk).split(b"\n")
        for line in lines:
            name, _, value = line.rstrip(b"\r").decode().partition(":")
            if name:
                fields[name] = value.removeprefix(" ")
            elif fields and not line.strip():
                yield fields
                fields = {}


def listen() -> None:
    failures, state = 0, recall()
    with client(httpx2.Timeout(5.0, read=SILENCE)) as stream, client() as http:
        while True:
            wait = 0.0
            try:
                resume = {"Last-Event-ID": state["cursor"]} if state["cursor"] else {}
                with stream.stream("GET", "/v1/alerts/stream", headers=resume) as answer:
                    if answer.status_code == httpx2.codes.GONE:
                        start_anew(http, state)
                        continue
                    wait = refused(answer)
                    if not wait:
                        say("connected", cursor=state["cursor"])
                        for event in events(answer.iter_bytes()):
                            failures = 0
                            wait = float(event.get("retry", 0)) / 1000 or wait
                            if "data" in event:
                                take(http, state, event)
            except (httpx2.TransportError, httpx2.HTTPStatusError) as error:
                say("disconnected", why=type(error).__name__)
                failures += 1
            time.sleep(wait or min(30.0, 0.5 * 2 ** min(failures, 6)) * random.uniform(0.5, 1.0))


def refused(answer: httpx2.Response) -> float:
    """Seconds to wait where the service can't answer now; ends the program where a repeat is of no use."""
    if answer.status_code in {401, 403}:
        sys.exit("The key is not, or no longer, one of a checkpoint: have it replaced.")
    wait = float(answer.headers.get("Retry-After", 0)) if answer.status_code in {429, 503} else 0.0
    if not wait:
        answer.raise_for_status()
    return wait


def take(http: httpx2.Client, state: Json, event: dict[str, str]) -> None:
    """Keep first, show and confirm then: what was confirmed must survive a power cut."""
    data = json.loads(event["data"])
    if event.get("event") == "alert":
        apply(state["held"], data)
        state["due"] = [*state["due"], data["id"]]
        say("alert", id=data["id"], kind=data["kind"], action=data["action"], message=data["message"])
    state["cursor"] = event.get("id", state["cursor"])
    remember(state)
    for alert_id in list(state["due"]):
        answer = http.post(f"/v1/alerts/{alert_id}/receipts", json={"level": "received"})
        if answer.status_code != httpx2.codes.NOT_FOUND and refused(answer):
            return  # with the next event, at the latest with the next heartbeat
        state["due"].remove(alert_id)
        remember(state)
        say("received", id=alert_id, again=answer.status_code == httpx2.codes.OK)


def start_anew(http: httpx2.Client, state: Json) -> None:
    """The register was restored: read all its alerts from the beginning, and hold what it holds, nothing else."""
    held: Json = {}
    query: dict[str, str | int] = {"limit": 500}
    while True:
        page = http.get("/v1/alerts", params=query).raise_for_status().json()
        for alert in page["items"]:
            apply(held, alert)
        query["after"] = page["cursor"]
        if not page["more"]:
            break
    lost = [alert["id"] for entry, alert in state["held"].items() if entry not in held]
    state.update(cursor=page["cursor"], held=held, due=[])
    remember(state)
    say("restored", held=len(held), lost=lost)  # a duty officer is to be asked about what was lost


def check(question: Json) -> Json:
    """The centre's answer; without it what a supervisor is told. A silent centre never means `clear`."""
    try:
        with client() as http:
            answer = http.post("/v1/checks", json=question)
        if answer.status_code == httpx2.codes.UNPROCESSABLE_CONTENT:
            return {"outcome": "ask_again", "errors": answer.json()}  # the question itself is wrong
        if not refused(answer):
            found: Json = answer.json()
            return found
    except (httpx2.TransportError, httpx2.HTTPStatusError):
        pass
    document = question.get("document") or {}
    number = document.get("number") or question.get("mrz", "").split("\n")[-1][:9].rstrip("<")
    held = [
        alert["id"]
        for alert in recall()["held"].values()
        if any(each["number"] == number for each in alert["entry"]["documents"]) and not over(alert)
    ]
    action = "refer_to_supervisor" if held else None  # null: what was agreed, or declared, for a lost line
    return {"outcome": "unavailable", "action": action, "held_by": held}


def over(alert: Json) -> bool:
    """Whether an alert holds no longer, though nothing came to say so."""
    return str(alert["expires_at"]) < time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime())


def acknowledge(alert_id: str, officer: str) -> Json:
    """A person's receipt; a repeat is answered 200 with the time of the first."""
    with client() as http:
        body = {"level": "acknowledged", "officer_reference": officer}
        answer = http.post(f"/v1/alerts/{alert_id}/receipts", json=body).raise_for_status()
    return {**answer.json(), "again": answer.status_code == httpx2.codes.OK}


def main(command: str, *rest: str) -> None:
    if command == "listen":
        listen()
    elif command == "check":
        print(json.dumps(check(json.load(sys.stdin)), indent=1))
    elif command == "acknowledge":
        print(json.dumps(acknowledge(*rest), indent=1))


if __name__ == "__main__":
    if sys.argv[1:2] not in (["listen"], ["check"], ["acknowledge"]):
        sys.exit(__doc__)
    if absent := [name for name in ("CHECKPOINT_URL", "CHECKPOINT_KEY") if not os.environ.get(name)]:
        sys.exit(f"Not set: {', '.join(absent)}.")  # or every question would be answered "unavailable"
    with contextlib.suppress(KeyboardInterrupt):
        main(*sys.argv[1:])
