"""The end of the demonstration: keys, addresses and commands with which a person can continue."""

import json
import shlex
from pathlib import Path

from app.demo import papers
from app.demo.cast import Cast
from app.demo.narrator import Narrator
from app.demo.people import INDONESIA, Person
from app.demo.scenes import Scenes

URGENT_BODY = "urgent-entry.json"


def print_handover(narrator: Narrator, url: str, folder: Path, cast: Cast, scenes: Scenes) -> None:
    """Print keys and commands for the server at `url`, and write the body of an urgent entry into the folder."""
    body = folder / URGENT_BODY
    request_body = papers.urgent_exit_ban(Person.invent(), scenes.today)
    body.write_text(json.dumps(request_body, indent=1), encoding="utf-8")
    rows = []
    for holder in cast.everybody():
        rows += [f"{holder.name:40}{holder.role}", f"  {holder.key}"]
    narrator.paste("Who, role, key (the keys hold for a month)", rows)
    narrator.paste("Try it, in another terminal", _commands(url, body, cast, scenes))
    narrator.paste("Every call, to read and to try", [f"{url}/docs"])
    narrator.pause()
    narrator.say("The checkpoints stay connected and confirm what you send. Ctrl-C ends the demonstration.")


def _commands(url: str, body: Path, cast: Cast, scenes: Scenes) -> list[str]:
    question = shlex.quote(json.dumps(papers.typed(scenes.suspect, "exit", state=INDONESIA)))
    json_header = "-H 'Content-Type: application/json'"
    return [
        f"OFFICER='Authorization: Bearer {cast.officer.key}'",
        f"COUNTER='Authorization: Bearer {cast.counter.key}'",
        "# is it well?",
        f"curl -s {url}/healthz",
        "# the ledger's signed head, with the ombudsman's cosignatures",
        f"curl -s {url}/v1/head -H 'Accept: text/plain' -H \"$OFFICER\"",
        "# may this person leave?",
        f'curl -s {url}/v1/checks -H "$COUNTER" \\',
        f"  {json_header} \\",
        f"  -d {question}",
        "# listen to alerts, as a checkpoint does",
        f'curl -sN {url}/v1/alerts/stream -H "$COUNTER"',
        "# an urgent exit ban; see it arrive here and in the stream",
        f'curl -s {url}/v1/urgent-entries -H "$OFFICER" \\',
        f"  {json_header} -H 'Idempotency-Key: my-first' \\",
        f"  -d @{shlex.quote(str(body))}",
        "# who has the alert?",
        f"curl -s {url}/v1/alerts/{scenes.alert_id}/coverage \\",
        '  -H "$OFFICER"',
        "# the decision as a letter, and what waits for the officer",
        f'curl -s {url}/v1/entries/{scenes.formal_id}/letter -H "$OFFICER" -o letter.pdf',
        f'curl -s {url}/v1/worklist -H "$OFFICER"',
    ]
