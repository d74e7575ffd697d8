"""`cekal conformance --consumer`: the integrators of docs/examples conform, and consumers with a fault do not."""

import sys
from pathlib import Path

import httpx2
import pytest

from app.conformance.consumer import CHECKS, PATIENCE, examine_consumer
from app.conformance.findings import Outcome
from app.conformance.scripted import ScriptedLedger
from app.conformance.service import examine_service
from app.conformance.stage import Fault, Stage, serving
from tests.support.cli import LONGEST, ROOT, ended, started
from tests.support.tools import EXAMPLES

PYTHON = EXAMPLES / "integrator.py"
SILENCE = 2.0


def test_the_python_integrator_conforms(tmp_path: Path):
    asked = ("--consumer", f"{sys.executable} {PYTHON}", "--silence", SILENCE, "--json")
    running = started("conformance", *asked, cwd=tmp_path)
    told = ended(running, len(CHECKS) * PATIENCE)  # each check starts programs, and has this limit of its own
    assert told.code == 0, told
    assert [each["check"] for each in told.json["checks"]] == [each.name for each in CHECKS]
    assert {each["result"] for each in told.json["checks"]} == {"pass"}, told.out
    assert told.json["conforms"] is True
    assert list(tmp_path.iterdir()) == []


def test_the_typescript_integrator_conforms(typescript_client: Path):
    command = ("node", str(typescript_client / "out" / "integrator.js"))
    found = list(examine_consumer(command, silence=SILENCE))
    assert {each.outcome for each in found} == {Outcome.PASS}, found


OUT = 'if record["tombstone"]:'
"""Where the copy takes an entry out."""

BROKEN = {
    "nothing is kept": ("first-copy", "VALUES (?, ?, ?) ON", "SELECT ?, ?, ? WHERE FALSE ON"),
    "what is withheld is left out": (
        "withheld",
        OUT,
        'if record["tombstone"] or record["withheld"] == "scope":',
    ),
    "what ended stays": ("tombstone", "DELETE FROM entry WHERE id = ?", "SELECT ?"),
    "the person stays": ("erased", "excluded.version > version", "excluded.content NOT LIKE '%erased%'"),
    "a cut line is the end": (
        "cut",
        "except (httpx2.TransportError, httpx2.HTTPStatusError)",
        "except KeyError",
    ),
    "a repeat is an alarm": ("duplicate", 'if record["sequence"] <= self.sequence:', "if False:"),
    "503 is not waited for": (
        "unavailable",
        "                        wait = refused(answer)\n",
        "                        wait = refused(answer) and 0.1\n",
    ),
    "429 is the end": ("rate-limited", "status_code in {401, 403}", "status_code in {401, 403, 429}"),
    "a restore is the end": ("restored", "answer.status_code == httpx2.codes.GONE", "False"),
    "the old copy goes first": ("restored", "        copy.db.close()\n", "        copy.drop()\n"),
    "persons are not compared": ("forged-personal", 'if bound.hex() != leaf["commitment"]:', "if False:"),
    "leaves are not compared": ("forged-leaf", "any(record[name] != leaf[name] for name in SAME)", "False"),
    "numbers are not counted": ("gap", 'if record["sequence"] != expected:', "if False:"),
    "silence is borne": ("silence", '"INTEGRATOR_SILENCE", "45"', '"NOTHING", "45"'),
    "a snapshot's cursor is not kept": ("snapshot", 'self._move(first["cursor"],', "self._move(None,"),
    "a cut snapshot will do": (
        "snapshot-cut",
        'raise httpx2.ReadError("The snapshot was cut.")',
        'self._move(first["cursor"], first["sequence"])',
    ),
    "a snapshot's digest is not compared": ("snapshot-forged", 'last["seal"]["leaf"]["seal"] != seal or', ""),
    "any register will do": ("snapshot-foreign", 'if "INTEGRATOR_TRUSTS" in os.environ:', "if False:"),
    "a key is tried for ever": ("key-revoked", "answer.status_code in {401, 403}", "False"),
}
"""Faults of the integrator in Python: the check that names each, and what is written in place of what."""


@pytest.mark.parametrize("fault", BROKEN)
def test_a_consumer_with_a_fault_does_not_conform(fault: str, tmp_path: Path):
    check, right, wrong = BROKEN[fault]
    source = PYTHON.read_text()
    assert source.count(right) == 1
    broken = tmp_path / "broken.py"
    broken.write_text(source.replace(right, wrong))
    asked = [each for each in CHECKS if each.name in {"first-copy", "snapshot", check}]
    command = (sys.executable, str(broken))
    found = {each.check: each for each in examine_consumer(command, 4.0, asked, SILENCE)}
    assert found[check].outcome == Outcome.FAIL, found
    assert check == "first-copy" or found["first-copy"].outcome == Outcome.PASS, found


def test_every_check_has_a_consumer_that_fails_it():
    assert {check for check, _, _ in BROKEN.values()} == {each.name for each in CHECKS}


def test_the_scripted_service_keeps_the_promises_of_the_feed_and_its_proofs():
    ledger = ScriptedLedger()
    for number in range(1, 8):
        ledger.add("entry.listed", f"ent_{number}", 1, withheld="scope" if number == 3 else "")
    ledger.erase("ent_2", 2)
    ledger.seal()
    stage = Stage(ledger)
    with serving(stage):
        found = {each.check: each for each in examine_service(stage.url, stage.key, 1000)}
    for name in (
        *("pages", "lines", "events", "resume", "leaves", "cursor-end", "cursor-malformed", "cursor-gone"),
        *("signing-keys", "head", "head-fresh", "inclusion", "consistency", "sizes-beyond", "root"),
        *("snapshot", "snapshot-parts", "digest"),
    ):
        assert found[name].outcome == Outcome.PASS, found[name]


def test_polls_and_lines_meet_the_same_faults_as_streams():
    ledger = ScriptedLedger()
    ledger.add("entry.listed", "ent_1", 1)
    stage = Stage(ledger)
    with serving(stage), httpx2.Client(base_url=stage.url, timeout=LONGEST) as http:
        for accept in ("application/json", "application/x-ndjson"):
            headers = {"Authorization": f"Bearer {stage.key}", "Accept": accept}
            with stage.changing(
                Fault(cut_after=0), Fault(503, "unavailable", retry_after=7), Fault(incomplete=True)
            ):
                pass
            with pytest.raises(httpx2.RemoteProtocolError):
                http.get("/v1/changes", headers=headers)
            refused = http.get("/v1/changes", headers=headers)
            assert (refused.status_code, refused.headers["retry-after"]) == (503, "7")
            assert '"more": true' in http.get("/v1/changes", headers=headers).text
            assert '"more": false' in http.get("/v1/changes", headers=headers).text
            assert not stage.waits
        assert http.get("/v1/changes").status_code == 401


def test_the_page_lists_every_promise():
    page = (ROOT / "docs" / "integrate-feed.md").read_text()
    rows = [f"| `{each.name}` | {each.promise} |" for each in CHECKS]
    assert [line for line in page.splitlines() if line in rows] == rows
