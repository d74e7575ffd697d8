"""Each table with a column that may say something of a person has an eraser, or a reason to have none.

`tests/api/casework/test_retention*.py` let the erasers run, and look for traces of the person in every table.
"""

import ast
import importlib
import inspect
import re
from pathlib import Path

from sqlalchemy import LargeBinary, String, Text

from app.register.entries.events import EntryErased
from app.schema import checks_metadata, metadata
from app.settings import Settings
from app.wiring import wired_runtime

ROOT = Path(__file__).resolve().parents[2]

CODES = {
    *(
        "agency",
        "call",
        "cause",
        "claim",
        "checkpoint",
        "citizenship",
        "code",
        "direction",
        "epoch",
        "event",
        "kind",
        "level",
    ),
    *(
        "measure",
        "media_type",
        "mode",
        "office",
        "origin",
        "outcome",
        "owner",
        "province",
        "state",
        "type",
        "zone",
    ),
    *(
        "body_hash",
        "claim",
        "digest",
        "document_hash",
        "hash",
        "journey_key",
        "leaf",
        "salt",
        "secret_hash",
        "sha256",
        "sketch",
    ),
    *("chase", "clearances", "matches", "noted", "pepper", "pepper_fingerprint", "request_id", "standing"),
}
"""Columns of codes, hashes and ids of entries: they name nobody."""

ERASERS = {
    "alert_receipt": "alerting.alerts.erasure_store.erase_of_entry",
    "amendment": "register.amendments.service.erase_of_entry",
    "blob": "register.entries.erasure_store.erase_blobs",
    "check_record": "border.checks.ageing_store.forget_questions",
    "clearance": "border.clearances.service.erase_of_entry",
    "correction_request": "register.rectifications.store.erase_of_entry",
    "departure_delay": "register.departures.store.erase_sponsors",
    "departure_delay_sponsor": "register.departures.store.erase_sponsors",
    "departure_delay_traveller": "register.departures.store.erase_travellers",
    "entry": "casework.retention.service._erase_person",
    "entry_duty": "register.entries.erasure_store.erase_person",
    "entry_key": "register.entries.erasure_store.erase_person",
    "entry_seal": "register.entries.store.save",
    "entry_task": "register.entries.erasure_store.erase_person",
    "entry_version": "register.entries.erasure_store.erase_person",
    "escalation_page": "alerting.escalation.page_store.erase_addresses",
    "hit": "border.hits.service.erase_hits",
    "idempotent_answer": "access.store.forget_answers",
    "ledger_barred": "ledger.store.erase_of_entry",
    "ledger_record": "ledger.store.erase_of_entry",
    "manifest": "border.manifests.store.forget",
    "manifest_item": "border.manifests.store.forget",
    "manifest_key": "border.manifests.store.close",
    "name_form": "register.entries.names.index.forget",
    "name_key_set": "register.entries.names.index.forget",
    "objection": "register.objections.service.erase_of_entry",
    "supervision_report": "register.supervision.store.erase",
    "webhook_attempt": "sync.webhooks.store.erase_of_entry",
}
"""The function that erases the person from each table."""

KEPT = {
    "agency": "an authority: its names and telephone",
    "audit": "which officer did what; it is evidence, and holds ids and counts of what was done",
    "client": "accounts of officers and machines",
    "check_ageing": "up to which check the questions are erased",
    "entry_source": "the number of a line of a list; the list is its publisher's",
    "lookback": "how far a search for an entry has come",
    "letter_head": "sizes and hashes of the ledger, signed, by the number of a record",
    "notice": "ids, days and codes of what an officer is notified of",
    "notice_address": "offices, and accounts of officers",
    "notice_mark": "names of rounds",
    "log_batch": "ids and hashes; its salt is erased before the first question to which it commits",
    "log_name": "the register's name",
    "log_origin": "the register's name, and its epochs",
    "log_witness": "addresses of witnesses of the ledger, and sizes",
    "cosignature": "public keys and signatures of witnesses",
    "office": "an authority's office",
    "sealed_digest": "hashes of leaves",
    "signed_head": "sizes and hashes of the ledger, signed",
    "signing_key": "public keys of the register",
    "pending_change": "accounts of officers, and places",
    "checkpoint": "a place",
    "checkpoint_closure": "when a place is closed, and why",
    "checkpoint_hours": "when a place is open",
    "escalation_policy": "addresses on duty, which their agency gave and an admin replaces",
    "webhook_delivery": "ids and types of records, and times of an endpoint; no content of a record",
    "webhook_endpoint": "addresses of machines, and their secrets, encrypted",
}
"""Tables whose texts are about nobody who is listed, each with the reason."""


def suspects() -> set[str]:
    """Returns the tables with a text or bytes that may be about a person: all but codes and ids."""
    return {
        table.name
        for part in (metadata, checks_metadata)
        for table in part.sorted_tables
        for column in table.columns
        if isinstance(column.type, Text | LargeBinary | String)
        and not re.fullmatch(r"(\w+_)?(id|by)|version|number|process|family|numbered", column.name)
        and column.name not in CODES
    }


def test_every_table_about_persons_has_its_eraser() -> None:
    assert suspects() == {*ERASERS, *KEPT}


def test_every_eraser_writes() -> None:
    for table, path in ERASERS.items():
        module, _, name = path.rpartition(".")
        text = inspect.getsource(getattr(importlib.import_module(f"app.{module}"), name))
        assert re.search(r"\b(delete|update)\(|\bsave\(", text), table


def test_every_feature_that_keeps_a_person_beside_an_entry_follows_its_erasure(tmp_path: Path) -> None:
    keeping = {
        ".".join(path.relative_to(ROOT / "app").with_suffix("").parts)
        for path in (ROOT / "app").rglob("*.py")
        for node in ast.parse(path.read_text(encoding="utf-8")).body
        if isinstance(node, ast.AsyncFunctionDef) and node.name == "erase_of_entry"
    }
    runtime = wired_runtime(Settings(env="test", database_url=f"sqlite:///{tmp_path}/register.db"))
    erasing = [
        inspect.getclosurevars(follow).nonlocals["erase"]
        for follow in runtime.follow.projectors[EntryErased]
        if "erase" in inspect.getclosurevars(follow).nonlocals
    ]
    followed = {each.__module__.removeprefix("app.") for each in erasing}
    called = {"ledger.store", "register.rectifications.store"}  # by the service of its feature
    assert followed | called == keeping
