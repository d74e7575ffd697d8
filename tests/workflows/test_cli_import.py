"""`cekal import` at a terminal: reports for people and for scripts, refusals in a line."""

import asyncio
import json
from pathlib import Path

from app.settings import Settings
from tests.support.actors import Actors
from tests.support.bodies import entry_body
from tests.support.cli import Told, cekal
from tests.support.processes import process
from tests.support.steps import expect
from tests.support.un_editions import individual, national, passport, write

TWO = ("--approved-by", "198001012005011001", "--second-approver", "197505052000031002")


def register(folder: Path) -> Path:
    """An older register of one good line and one bad one."""
    good = {"agency": "KPK", "reference": "old-1", "entry": entry_body(), "approved_on": "2026-11-23"}
    path = folder / "register.ndjson"
    path.write_text(f"{json.dumps(good)}\n{json.dumps({**good, 'reference': 'old-2', 'agency': 'NOBODY'})}\n")
    return path


def refused(told: Told, code: int, *words: str) -> None:
    assert told.code == code, told
    assert (told.out, told.err.count("\n")) == ("", 1), told
    for word in words:
        assert word in told.err


def clock(folder: Path) -> dict[str, object]:
    """Settings that let a command stand at the hour when every test begins."""
    path = folder / "clock"
    path.write_text("2026-11-23T10:00:00+07:00")
    return {"env": "test", "test_clock": path}


def test_a_list_is_reported_as_json_for_scripts(settings: Settings, tmp_path: Path):
    citizen = individual(national("Indonesia"), data_id="700002", name="BELVA")
    path = write(tmp_path, individual(national("Peru")), citizen)
    given = {"cwd": tmp_path, "database_url": settings.url, **clock(tmp_path)}
    skipped = [{"id": "700002", "reason": "wni_cannot_be_deterred"}]
    first, second = (cekal("import", "un", path, *TWO, "--json", **given) for _ in range(2))
    assert first.err == second.err == ""
    assert first.json == {"added": 1, "changed": 0, "ended": 0, "unchanged": 0, "skipped": skipped}
    assert second.json == {"added": 0, "changed": 0, "ended": 0, "unchanged": 1, "skipped": skipped}


def test_a_list_is_reported_as_a_table_for_people(sqlite_url: str, tmp_path: Path):
    path = write(tmp_path, individual(national("Peru")), entities="<ENTITY><DATAID>1</DATAID></ENTITY>")
    told = cekal(
        "import", "un", path, *TWO, "--review-on", "2031-01-31", cwd=tmp_path, database_url=sqlite_url
    )
    assert told.code == 0, told.err
    assert [line.split() for line in told.out.splitlines() if line] == [
        ["added", "changed", "ended", "unchanged", "skipped"],
        ["1", "0", "0", "0", "1"],
        ["skipped", "because"],
        ["1", "entity"],
    ]


def test_a_part_of_a_list_is_refused_in_a_line_unless_it_is_said_to_be_whole(
    settings: Settings, tmp_path: Path
):
    given = {"cwd": tmp_path, "database_url": settings.url, **clock(tmp_path)}
    both = (individual(passport()), individual(passport("PE1"), data_id="700002", name="BELVA"))
    assert cekal("import", "un", write(tmp_path, *both), *TWO, "--json", **given).json["added"] == 2
    part = write(tmp_path, both[0], generated="2026-06-04T12:00:00Z")
    told = cekal("import", "un", part, *TWO, **given)
    refused(told, 1, "would end 1 of the 2 persons", "--allow-shrink", "CEKAL_LIST_SHRINK_SHARE")
    report = cekal("import", "un", part, *TWO, "--allow-shrink", "--json", **given).json
    assert (report["ended"], report["unchanged"]) == (1, 1)


def test_an_older_register_is_reported_line_by_line(settings: Settings, tmp_path: Path):
    given = {"cwd": tmp_path, "database_url": settings.url, **clock(tmp_path)}
    told = cekal("import", "entries", register(tmp_path), *TWO, "--json", **given)
    assert told.err == ""
    assert told.json["added"] == 1
    assert told.json["skipped"] == [
        {"id": "old-2", "reason": "validation at /agency: There is no agency with this code. (line 2)"}
    ]
    again = cekal("import", "entries", register(tmp_path), *TWO, "--legacy", **given)
    assert "There is no agency with this code. (line 2)" in again.out


def test_a_file_that_can_not_be_read_is_told_with_its_line(sqlite_url: str, tmp_path: Path):
    path = write(tmp_path, individual())
    path.write_text(path.read_text().replace("</ENTITIES>", "<ENTITIES>"))
    refused(
        cekal("import", "un", path, *TWO, cwd=tmp_path, database_url=sqlite_url),
        1,
        "list.xml: line 11",
        "Nothing",
    )
    path.write_text("a,b\n")
    told = cekal("import", "entries", path, *TWO, cwd=tmp_path, database_url=sqlite_url)
    refused(told, 1, "list.xml is no NDJSON", "Nothing was changed")


def test_an_older_edition_is_told(sqlite_url: str, tmp_path: Path):
    given = {"cwd": tmp_path, "database_url": sqlite_url}
    cekal("import", "un", write(tmp_path, individual(), generated="2026-06-04T12:00:00Z"), *TWO, **given)
    told = cekal(
        "import", "un", write(tmp_path, individual(), generated="2026-05-04T12:00:00Z"), *TWO, **given
    )
    refused(told, 1, "older than the one of 2026-06-04")


def test_one_person_can_not_approve_twice(sqlite_url: str, tmp_path: Path):
    path = write(tmp_path, individual())
    same = ("--approved-by", "19800101-1", "--second-approver", "198001011")
    refused(cekal("import", "un", path, *same, cwd=tmp_path, database_url=sqlite_url), 2, "four eyes")
    nobody = ("--approved-by", "?", "--second-approver", "198001011")
    refused(cekal("import", "un", path, *nobody, cwd=tmp_path, database_url=sqlite_url), 2, "--approved-by: ")


def test_a_review_beyond_ten_years_is_told(sqlite_url: str, tmp_path: Path):
    path = write(tmp_path, individual())
    late = ("--review-on", "2099-01-01")
    told = cekal("import", "un", path, *TWO, *late, cwd=tmp_path, database_url=sqlite_url)
    refused(told, 2, "--review-on: ", "ten years")


async def test_a_running_service_knows_at_once_what_was_imported(
    settings: Settings, actors: Actors, tmp_path: Path
):
    counter = await actors.client("checkpoint")
    path = write(tmp_path, individual(national("Peru") + passport("PE765432", "Peru")))
    question = {
        "direction": "entry",
        "document": {"number": "PE765432", "issuing_state": "PER"},
        "person": {"nationality": "PER"},
    }
    async with process(settings, tmp_path) as service:
        answers = []
        for _ in range(2):
            answer = await service.http.post("/v1/checks", json=question, headers=counter.headers)
            answers.append(expect(answer, 200)["action"])
            given = {"cwd": tmp_path, "database_url": settings.url, **clock(tmp_path)}
            told = await asyncio.to_thread(cekal, "import", "un", path, *TWO, **given)
            assert told.code == 0, told.err
        assert answers == ["allow", "refuse_entry"]
