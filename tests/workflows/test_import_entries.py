"""`cekal import entries`: an older register comes over, line by line, as it stood."""

import json
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import httpx2
import pytest
from sqlalchemy import delete

from app.access.domain import SYSTEM
from app.access.store import list_audit
from app.db.unit import Unit
from app.errors import CekalError
from app.initialise import initialise
from app.ledger.tables import barred
from app.register.entries import listing
from app.register.entries.listing import Approvers, ImportedMeasure, ImportOutcome
from app.register.lists import takeover
from app.register.lists.takeover import take_over
from app.register.lists.takeover_lines import LONGEST_LINE, NotNdjson
from app.runtime import Runtime
from tests.support.actors import Actors
from tests.support.bodies import check_body, deterrence_body, entry_body, merged
from tests.support.refusals import nothing_changed
from tests.support.steps import expect
from tests.support.takeovers import TWO, Json, entries, line, ndjson, records, taken, told


async def test_a_line_becomes_an_entry_that_works_at_once(
    runtime: Runtime, http: httpx2.AsyncClient, actors: Actors, tmp_path: Path
):
    body = entry_body()
    assert await taken(runtime, ndjson(tmp_path, line(entry=body))) == told(added=1)
    owner, counter = await actors.client("submitter"), await actors.client("checkpoint")
    [shown] = expect(await http.get("/v1/entries", headers=owner.headers), 200)["items"]
    assert (shown["state"], shown["in_force"], shown["agency"]) == ("active", True, "KPK")
    assert shown["subject"]["full_name"] == body["subject"]["full_name"]
    assert shown["basis"]["number"] == body["basis"]["number"]
    photo = await http.get(shown["subject"]["photo"]["url"], headers=owner.headers)
    assert photo.headers["content-type"] == "image/jpeg"
    answer = await http.post("/v1/checks", json=check_body(body["subject"]), headers=counter.headers)
    assert expect(answer, 200)["action"] == "refuse_exit"
    [step] = expect(await http.get(f"/v1/entries/{shown['id']}/history", headers=owner.headers), 200)["items"]
    assert (step["event"], step["reason"]) == ("imported", "taken over as old-1, approved on 2026-11-23")
    [record] = await records(runtime)
    assert (record.type, record.sequence, shown["sequence"]) == ("entry.listed", 1, 1)


async def test_the_two_approvers_are_recorded(runtime: Runtime, tmp_path: Path):
    await taken(runtime, ndjson(tmp_path, line()))
    [entry] = await entries(runtime)
    assert entry.approved_by == ("198001012005011001", "197505052000031002")
    async with runtime.reading(SYSTEM) as reader:
        rows = {row["act"]: row["detail"] for row in await list_audit(reader, None, 50, None, None)}
    assert rows["takeover.begun"] == {
        "file": "register.ndjson",
        "approved_by": "198001012005011001",
        "second_approver": "197505052000031002",
        "legacy": False,
    }
    assert rows["takeover.ended"]["added"] == 1


async def test_an_entry_about_an_officer_comes_over_sealed_for_the_two_who_stand_for_it(
    runtime: Runtime, http: httpx2.AsyncClient, actors: Actors, tmp_path: Path
):
    await actors.client("supervisor", name="Wirabumi Kertanegara Sasmita")
    about = entry_body(subject={"full_name": "SASMITA, Wirabumi Kertanegara"})
    wished = entry_body(sealed_for=["19850315-2010.01"])
    lines = (line("old-1", entry=about), line("old-2", entry=wished), line("old-3"))
    path = ndjson(tmp_path, *lines)
    assert await taken(runtime, path) == told(added=3)
    sealed = {entry.basis.number: entry.sealed_for for entry in await entries(runtime)}
    persons = ("197505052000031002", "198001012005011001")
    assert sealed.pop(about["basis"]["number"]) == persons
    assert sealed.pop(wished["basis"]["number"]) == (persons[0], persons[1], "198503152010" + "01")
    assert list(sealed.values()) == [None]
    for person, seen in ((persons[1], 3), ("198503152010019999", 1)):
        by = await actors.client("submitter", person=person)
        listed = expect(await http.get("/v1/entries", headers=by.headers), 200)["items"]
        assert len(listed) == seen
    changed = merged(about, {"subject": {"occupation": "clerk"}})
    assert (await taken(runtime, ndjson(tmp_path, line("old-1", entry=changed), *lines[1:])))["changed"] == 1
    after = {entry.basis.number: entry.sealed_for for entry in await entries(runtime)}
    assert after[about["basis"]["number"]] == persons


async def test_the_feed_withholds_an_imported_entry_from_an_auditor_whom_it_may_be_about(
    runtime: Runtime, http: httpx2.AsyncClient, actors: Actors, tmp_path: Path
):
    subject = await actors.client("auditor", name="Wirabumi Kertanegara Sasmita")
    other = await actors.client("auditor")
    about = entry_body(subject={"full_name": "SASMITA, Wirabumi Kertanegara"})
    assert await taken(runtime, ndjson(tmp_path, line(entry=about))) == told(added=1)

    async def withheld() -> list[str | None]:
        feeds = [expect(await http.get("/v1/changes", headers=by.headers), 200) for by in (subject, other)]
        return [feed["items"][0]["withheld"] for feed in feeds]

    assert await withheld() == ["scope", None]
    async with runtime.writing(SYSTEM) as unit:  # as an earlier release left it
        await unit.run(delete(barred))
    assert await withheld() == [None, None]
    await initialise(runtime)
    assert await withheld() == ["scope", None]


def _foreigner_under_prevention() -> Json:
    return merged(deterrence_body(), {"subject": {"nationalities": ["IDN"]}})


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        ("{", "malformed_json: The line is no JSON."),
        ("[1]", "validation: "),
        (line(agency=...), "validation at /agency: This member is required."),
        (line(reference="x" * 201), "validation at /reference: "),
        (line(reference="a\u0000b"), "validation at /reference: "),
        (line(surplus=1), "validation at /surplus: This member is not known here."),
        (line(entry={"subject": {"sex": "other"}}), "validation at /entry/subject/sex: "),
        (line(agency="NOBODY"), "validation at /agency: There is no agency with this code."),
        (
            line(approved_on="2026-11-24"),
            "validation at /approved_on: The day of approval is in the future.",
        ),
        (line(entry={"subject": {"photo": None}}), "missing_subject_data at /entry/subject/photo: "),
        (
            line(entry={"subject": {"photo": {"media_type": "image/png", "data": "AAAA"}}}),
            "photo_invalid at /entry/subject/photo/data: ",
        ),
        (
            line(agency="IMIGRASI", entry=_foreigner_under_prevention()),
            "wni_cannot_be_deterred at /entry/subject: ",
        ),
        (line(entry={"ends_on": "2027-05-24"}), "period_too_long at /entry/ends_on: "),
        (line(agency="POLRI"), "instrument_mismatch at /entry/basis/instrument: "),
        (line(extension_count=2, first_started_on="2025-11-22"), "validation at /extension_count: "),
        (line(extension_count=1, first_started_on="2026-05-21"), "period_too_long at /entry/starts_on: "),
        (line(first_started_on="2026-05-23"), "period_too_long at /entry/starts_on: "),
    ],
)
async def test_a_bad_line_is_left_out_with_its_reason_and_the_others_go_on(
    runtime: Runtime, tmp_path: Path, bad: Json | str, reason: str
):
    report = await taken(runtime, ndjson(tmp_path, line("before"), bad, line("after")))
    assert report["added"] == 2
    [skipped] = report["skipped"]
    assert skipped["reason"].startswith(reason)
    assert skipped["reason"].endswith("(line 2)")
    assert skipped["id"] == (
        "old-1" if isinstance(bad, dict) and bad.get("reference") == "old-1" and "agency" in bad else "line 2"
    )


async def test_a_line_that_is_too_long_is_left_out_and_never_held_in_memory(runtime: Runtime, tmp_path: Path):
    path = ndjson(tmp_path, line("before"), "x" * (2 * LONGEST_LINE + 5), line("after"))
    report = await taken(runtime, path)
    assert report["added"] == 2
    assert report["skipped"] == [
        {"id": "line 2", "reason": "validation: A line has at most 3 MiB. (line 2)"},
    ]


async def test_photos_may_be_missing_where_the_older_register_had_none(runtime: Runtime, tmp_path: Path):
    bare = line(entry={"subject": {"photo": None}})
    assert await taken(runtime, ndjson(tmp_path, bare), legacy=True) == told(added=1)


@pytest.mark.parametrize(("issued_on", "added"), [("2025-12-30", 1), ("2026-01-05", 0)])
async def test_rules_are_judged_as_at_the_day_of_approval(
    runtime: Runtime, tmp_path: Path, issued_on: str, added: int
):
    """A witness could be banned until the new KUHAP (R7, case 13 of docs/rules.md)."""
    start = date.fromisoformat(issued_on)
    witness = line(
        entry={
            "basis": {"subject_status": "witness", "issued_on": issued_on, "received_on": issued_on},
            "starts_on": issued_on,
            "ends_on": (start + timedelta(days=180)).isoformat(),
        },
        approved_on=issued_on,
    )
    assert (await taken(runtime, ndjson(tmp_path, witness)))["added"] == added


async def test_an_extension_keeps_its_count_and_follows_its_period(runtime: Runtime, tmp_path: Path):
    extended = line(extension_count=1, first_started_on="2026-05-22")
    assert await taken(runtime, ndjson(tmp_path, extended)) == told(added=1)
    [entry] = await entries(runtime)
    assert (entry.extension_count, entry.starts_on, entry.ends_on) == (
        1,
        date(2026, 11, 23),
        date(2027, 5, 23),
    )


async def test_an_extension_whose_first_period_is_unknown_is_taken_with_a_warning(
    runtime: Runtime, tmp_path: Path
):
    await taken(runtime, ndjson(tmp_path, line(extension_count=1)))
    [entry] = await entries(runtime)
    assert [warning.code for warning in entry.warnings] == ["first_period_unknown"]


async def test_bans_that_were_extended_again_and_again_under_the_old_law_are_taken(
    runtime: Runtime, tmp_path: Path
):
    body = deterrence_body(starts_on="2024-09-01", ends_on="2034-09-01", basis={"issued_on": "2024-08-30"})
    body["basis"]["received_on"] = None
    old = line(
        agency="IMIGRASI",
        entry=body,
        approved_on="2024-09-01",
        extension_count=3,
        first_started_on="2023-03-01",
    )
    assert await taken(runtime, ndjson(tmp_path, old)) == told(added=1)


async def test_an_entry_that_is_over_is_kept_as_ended_and_stops_nobody(
    runtime: Runtime, http: httpx2.AsyncClient, actors: Actors, tmp_path: Path
):
    body = entry_body(starts_on="2026-04-01", ends_on="2026-10-01", basis={"issued_on": "2026-03-30"})
    body["basis"]["received_on"] = "2026-03-31"
    assert await taken(runtime, ndjson(tmp_path, line(entry=body, approved_on="2026-04-01"))) == told(added=1)
    [entry] = await entries(runtime)
    assert (entry.state, entry.ended_reason) == ("ended", "expired")
    assert entry.ended_at == datetime(2026, 10, 1, 17, tzinfo=UTC), "midnight in Jakarta"
    [record] = await records(runtime)
    assert (record.type, record.tombstone, record.effective_at) == ("entry.ended", True, entry.ended_at)
    counter = await actors.client("checkpoint")
    answer = await http.post("/v1/checks", json=check_body(body["subject"]), headers=counter.headers)
    assert expect(answer, 200)["action"] == "allow"


@pytest.mark.parametrize(
    "text",
    [
        "<xml/>\n",
        "agency,reference\nKPK,old-1\n",
        json.dumps([line()]),
        json.dumps([line()], indent=1),
        "\x1f\x8b\x00",
    ],
)
async def test_a_file_that_is_no_ndjson_is_refused_whole(runtime: Runtime, tmp_path: Path, text: str):
    path = tmp_path / "register.ndjson"
    path.write_text(text)
    async with nothing_changed(runtime):
        with pytest.raises(NotNdjson, match="an object of JSON on each line"):
            await take_over(runtime, path, TWO)


async def test_a_file_without_lines_begins_no_import(runtime: Runtime, tmp_path: Path):
    path = tmp_path / "register.ndjson"
    path.write_text(" \n\n")
    async with nothing_changed(runtime):
        assert await taken(runtime, path) == told()


async def test_blank_lines_a_mark_of_byte_order_and_a_missing_last_line_end_are_nothing(
    runtime: Runtime, tmp_path: Path
):
    path = tmp_path / "register.ndjson"
    path.write_bytes(b"\xef\xbb\xbf" + json.dumps(line("old-1")).encode() + b"\r\n\r\n \n")
    with path.open("ab") as file:
        file.write(json.dumps(line("old-2")).encode())
    assert await taken(runtime, path) == told(added=2)


async def test_progress_is_told_in_bytes(runtime: Runtime, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(takeover, "STEP", 2)
    path = ndjson(tmp_path, *(line(f"old-{n}") for n in range(5)))
    heard: list[tuple[int, int]] = []
    await take_over(runtime, path, TWO, progress=lambda done, total: heard.append((done, total)))
    size = path.stat().st_size
    assert [total for _, total in heard] == [size] * 3
    assert heard[-1][0] == size


@pytest.mark.parametrize(
    ("took", "expected"),
    [([0.001] * 3, [2, 2, 8, 8]), ([9.0] * 10, [2] * 10), ([0.001, 9.0], [2, 2, 8, 2, 6])],
    ids=["quick", "slow", "slow in between"],
)
async def test_a_step_has_as_many_lines_as_hold_the_lock_for_a_short_time(
    runtime: Runtime,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    took: list[float],
    expected: list[int],
):
    monkeypatch.setattr(takeover, "STEP", 10)
    monkeypatch.setattr(takeover, "MIN_STEP", 2)
    instants = [0.0]
    for seconds in [*took, *[0.001] * 20]:
        instants += [instants[-1], instants[-1] + seconds]
    monkeypatch.setattr(takeover, "monotonic", iter(instants[1:]).__next__)
    whole, steps = listing.import_items, []

    async def counted(
        unit: Unit, items: Sequence[ImportedMeasure], approvers: Approvers
    ) -> list[ImportOutcome | CekalError]:
        steps.append(len(items))
        return await whole(unit, items, approvers)

    monkeypatch.setattr(listing, "import_items", counted)
    path = ndjson(tmp_path, *(line(f"old-{n}") for n in range(20)))
    assert await taken(runtime, path) == told(added=20)
    assert steps == expected


ODD = {
    '"extension_count": NaN': "validation at /extension_count",
    '"extension_count": Infinity': "validation at /extension_count",
    '"extension_count": -Infinity': "validation at /extension_count",
    '"extension_count": 1e400': "validation at /extension_count",
    '"extension_count": -1e400': "validation at /extension_count",
    f'"extension_count": {"9" * 5000}': "malformed_json",
    f'"extension_count": {"9" * 400}': "validation at /extension_count",
    '"extension_count": 1.5': "validation at /extension_count",
    '"extension_count": true': "validation at /extension_count",
    '"extension_count": "1_0"': "validation at /extension_count",
    '"approved_on": 1700000000': "validation at /approved_on",
    '"approved_on": "20261123"': "validation at /approved_on",
    '"approved_on": "2026-11-23T00:00:00"': "validation at /approved_on",
    '"first_started_on": 1e400': "validation at /first_started_on",
    '"first_started_on": "0000-01-01"': "validation at /first_started_on",
    '"first_started_on": "9999-12-31"': "validation at /first_started_on",
    f'"more": {"[" * 100_000}{"]" * 100_000}': "malformed_json",
    f'"more": {"[" * 400}{"]" * 400}': "validation at /more",
    '"agency": "KPK"': "validation at /agency",
    '"reference": "another"': "validation at /reference",
    '"entry": null': "validation at /entry",
    '"approved_on": "2026-11-23"': "validation at /approved_on",
    '"reference": "a\\ud800"': "validation at /reference",
    '"agency": "\\u0000"': "validation at /agency",
}
"""What stands at the end of a line, and the reason for which the line is left out."""


async def test_whatever_one_line_holds_the_others_go_on_and_the_run_ends_with_its_report(
    runtime: Runtime, tmp_path: Path
):
    plain = [json.dumps(line(f"good-{number}")) for number in range(3)]
    odd = [f"{json.dumps(line(f'odd-{number}'))[:-1]}, {end}}}" for number, end in enumerate(ODD)]
    raw = [b"\xff\xfe{}", b"null", b'"text"', b"{", b"1e400", b"NaN", b'{"agency": "KPK"', b"\x00"]
    path = tmp_path / "register.ndjson"
    texts = [
        plain[0].encode(),
        *(text.encode() for text in odd),
        *raw,
        *(text.encode() for text in plain[1:]),
    ]
    path.write_bytes(b"\n".join(texts))
    report = await taken(runtime, path)
    assert report["added"] == 3
    reasons = {skipped["reason"].rpartition(" (line ")[0] for skipped in report["skipped"]}
    assert len(report["skipped"]) == len(odd) + len(raw)
    found = [skipped["reason"] for skipped in report["skipped"]][: len(odd)]
    wrong = [
        (end[:60], reason)
        for (end, want), reason in zip(ODD.items(), found, strict=True)
        if want not in reason
    ]
    assert wrong == [], reasons
    assert await taken(runtime, path) == {**report, "added": 0, "unchanged": 3}


async def test_a_line_that_the_register_does_not_take_is_left_out_alone(
    runtime: Runtime, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """As where a database refuses a text that every rule has let through."""
    take_in = listing.import_items

    async def refusing(
        unit: Unit, items: Sequence[ImportedMeasure], approvers: Approvers
    ) -> list[ImportOutcome | CekalError]:
        if any(item.reference == "old-3" for item in items):
            raise ValueError("a character that can't be stored")
        return await take_in(unit, items, approvers)

    monkeypatch.setattr(listing, "import_items", refusing)
    report = await taken(runtime, ndjson(tmp_path, *(line(f"old-{number}") for number in range(7))))
    reason = "validation: The line can't be taken over: ValueError. (line 4)"
    assert report == told(added=6, skipped=[{"id": "old-3", "reason": reason}])


async def test_a_line_that_nobody_foresaw_is_left_out_alone(
    runtime: Runtime, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(listing, "prepare", lambda _subject: 1 // 0)
    report = await taken(runtime, ndjson(tmp_path, line("old-1"), line("old-2")))
    assert [skipped["id"] for skipped in report["skipped"]] == ["old-1", "old-2"]
    assert "ZeroDivisionError" in report["skipped"][0]["reason"]
