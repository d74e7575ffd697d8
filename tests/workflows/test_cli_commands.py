"""The `cekal` command at a terminal: help, refusals in a line, accounts, the schema."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx2
import pytest

from app.access.domain import Role
from app.access.places.reference import load_offices
from app.settings import Settings
from tests.support.cli import Told, cekal, ended, started
from tests.support.steps import expect

COMMANDS = (
    (),
    ("serve",),
    ("worker",),
    ("demo",),
    ("migrate",),
    ("backup",),
    ("restore",),
    ("openapi",),
    ("conformance",),
    ("client", "create"),
    ("clients",),
    ("client", "revoke"),
    ("import", "un"),
    ("import", "entries"),
)
NIP = "198001012005011001"


def refused(told: Told, code: int, *words: str) -> None:
    """Hold that a command ended with this code, and said why in a line or two on standard error."""
    assert told.code == code, told
    assert told.out == ""
    assert 1 <= told.err.count("\n") <= 2, told.err
    assert "Traceback" not in told.err
    for word in words:
        assert word in told.err


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_every_command_teaches_how_it_is_used(command: tuple[str, ...], tmp_path: Path):
    told = cekal(*command, "--help", cwd=tmp_path)
    assert told.code == 0, told.err
    assert "Usage: cekal" in told.out
    if command:
        assert f"cekal {' '.join(command)}" in told.out.replace("Usage: cekal", "", 1), "an example"
        assert "Settings:" in told.out
    else:
        assert "CEKAL_DATABASE_URL" in told.out
    assert list(tmp_path.iterdir()) == []


def test_the_version_is_told(tmp_path: Path):
    assert cekal("--version", cwd=tmp_path).out.startswith("cekal 0.")


def test_nothing_asked_shows_the_help(tmp_path: Path):
    told = cekal(cwd=tmp_path)
    assert (told.code, "Usage: cekal" in told.out, told.err) == (2, True, "")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("servr",), ("No such command 'servr'", "'serve'")),
        (("serve", "--prot", "1"), ("No such option: --prot", "cekal serve --help")),
        (("serve", "--port", "x"), ("--port",)),
        (("serve", "--workers", "0"), ("--workers",)),
        (("client", "create"), ("Missing option '--role'",)),
        (("import", "un", "nothing.xml", "--approved-by", "1", "--second-approver", "2"), ("nothing.xml",)),
        (("import", "un"), ("Missing",)),
        (("conformance", "http://127.0.0.1:1"), ("--key-file",)),
        (("conformance", "http://127.0.0.1:1", "--consumer", "true"), ("--consumer needs no URL",)),
        (("conformance", "--consumer", "no-such-program"), ("no program no-such-program",)),
    ],
)
def test_wrong_arguments_are_told_in_a_line_with_code_2(
    arguments: tuple[str, ...], words: tuple[str, ...], tmp_path: Path
):
    refused(cekal(*arguments, cwd=tmp_path), 2, *words)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"surplus": 1}, ("CEKAL_SURPLUS",)),
        ({"pool_size": "many"}, ("CEKAL_POOL_SIZE", "integer")),
        ({"database_url": "mysql://localhost/cekal"}, ("sqlite or postgresql",)),
        ({"database_url": "postgresql://cekal:hidden@127.0.0.1:1/cekal"}, ("CEKAL_DATABASE_URL", "reached")),
        ({"database_url": "postgresql://cekal:hidden@host.invalid/cekal"}, ("CEKAL_DATABASE_URL", "reached")),
        ({"database_url": "cekal:hidden"}, ("CEKAL_DATABASE_URL", "postgresql://")),
        ({"database_url": "postgresql://cekal:hidden@db:port/cekal"}, ("CEKAL_DATABASE_URL",)),
        ({"database_url": "sqlite://"}, ("CEKAL_DATABASE_URL", "file")),
        ({"database_url": "sqlite:///:memory:"}, ("CEKAL_DATABASE_URL", "file")),
        ({"settings": "nowhere.env"}, ("nowhere.env",)),
    ],
)
def test_wrong_settings_are_told_in_a_line_and_never_a_password(
    settings: dict[str, object], words: tuple[str, ...], tmp_path: Path
):
    told = cekal("clients", cwd=tmp_path, **settings)
    refused(told, 1, *words)
    assert "hidden" not in told.err


def test_an_unknown_name_in_the_file_of_settings_is_told_as_it_stands_there(tmp_path: Path):
    (tmp_path / "cekal.env").write_text("CEKAL_SURPLUS=1\n")
    refused(cekal("clients", cwd=tmp_path, settings="cekal.env"), 1, "line 1: CEKAL_SURPLUS is no setting")


@pytest.mark.parametrize("command", [("clients",), ("client", "revoke", "cli_x"), ("serve",)], ids=" ".join)
def test_without_a_register_the_command_to_found_one_is_told_and_no_file_is_made(
    command: tuple[str, ...], tmp_path: Path
):
    refused(cekal(*command, cwd=tmp_path), 1, "cekal migrate")
    assert list(tmp_path.iterdir()) == []


def test_a_newer_programs_register_is_named_as_such(tmp_path: Path):
    assert cekal("migrate", cwd=tmp_path).code == 0
    with closing(sqlite3.connect(tmp_path / "cekal-data" / "register.db")) as register:
        register.execute("UPDATE alembic_version SET version_num = '9999'")
        register.commit()
    for command in (("migrate",), ("clients",), ("serve",)):
        refused(cekal(*command, cwd=tmp_path), 1, "schema is 9999, of a newer program")


def test_migrate_founds_a_register_once_and_may_be_repeated(tmp_path: Path):
    first, second = (cekal("migrate", cwd=tmp_path) for _ in range(2))
    assert (first.code, second.code) == (0, 0), first.err + second.err
    assert f"15 agencies, 171 checkpoints, {len(load_offices())} offices" in first.out
    assert "0 agencies, 0 checkpoints, 0 offices" in second.out
    assert sorted(path.name for path in (tmp_path / "cekal-data").iterdir()) == [
        "key-pepper",
        "register-checks.db",
        "register.db",
        "signing-keys",
    ]
    assert "signing-keys" in first.out
    assert "signing-keys" not in second.out, "they were made once"


def test_migrate_may_run_several_times_at_once(tmp_path: Path):
    running = [started("migrate", cwd=tmp_path) for _ in range(3)]
    told = [ended(one) for one in running]
    assert [one.code for one in told] == [0, 0, 0], [one.err for one in told]
    assert sorted("Added: 15 agencies" in one.out for one in told) == [False, False, True]


def test_the_address_of_the_register_is_told_without_its_password(settings: Settings, tmp_path: Path):
    url = settings.url.replace("postgres@", "postgres:hidden@")
    told = cekal("migrate", cwd=tmp_path, database_url=url)
    assert told.code == 0, told.err
    assert "hidden" not in told.out


async def test_a_client_made_here_works_at_once_and_its_key_is_shown_as_json(
    settings: Settings, http: httpx2.AsyncClient, tmp_path: Path
):
    url = settings.url
    arguments = ("client", "create", "--role", "admin", "--person", NIP, "--name", "Ibu Admin", "--json")
    told = cekal(*arguments, cwd=tmp_path, database_url=url)
    assert told.code == 0, told.err
    assert set(told.json) == {"id", "key"}
    mine = {"Authorization": f"Bearer {told.json['key']}"}
    client = expect(await http.get(f"/v1/clients/{told.json['id']}", headers=mine), 200)
    assert (client["name"], client["roles"], client["person"], client["state"]) == (
        "Ibu Admin",
        ["admin"],
        NIP,
        "active",
    )
    audit = expect(await http.get("/v1/audit", headers=mine), 200)["items"]
    assert {"client.registered", "key.issued"} <= {act["act"] for act in audit}


def test_clients_of_every_sort_can_be_made(sqlite_url: str, tmp_path: Path):
    sorts = (
        ("--role", "submitter", "--agency", "KPK", "--person", NIP),
        (
            "--role",
            "approver",
            "--role",
            "duty_officer",
            "--agency",
            "IMIGRASI",
            "--office",
            "DIR",
            "--new-office",
            "--person",
            NIP,
        ),
        ("--role", "checkpoint", "--checkpoint", "CGK", "--kind", "counter", "--network", "10.0.0.0/8"),
        ("--role", "supervisor", "--checkpoint", "CGK", "--person", NIP),
        ("--role", "integrator", "--agency", "KPK"),
    )
    for sort in sorts:
        told = cekal("client", "create", *sort, cwd=tmp_path, database_url=sqlite_url)
        assert told.code == 0, told.err
        assert "cekal_" in told.out
        assert ("The office DIR of IMIGRASI was added" in told.out) == ("DIR" in sort)
    listed = cekal("clients", "--json", cwd=tmp_path, database_url=sqlite_url).json["items"]
    assert [client["checkpoint"] for client in listed] == [None, None, "CGK", "CGK", None]
    assert listed[1]["roles"] == ["approver", "duty_officer"]
    table = cekal("clients", cwd=tmp_path, database_url=sqlite_url).out.splitlines()
    assert len(table) == 1 + len(sorts)
    assert table[0].split() == [
        "id",
        "name",
        "roles",
        "agency",
        "office",
        "checkpoint",
        "kind",
        "person",
        "state",
        "key_until",
    ]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--role", "submitter"), ("--agency: ", "--person: ")),
        (("--role", "king"), ("--role: ", "'submitter'")),
        (("--role", "submitter", "--agency", "NOBODY", "--person", NIP), ("--agency: There is no agency",)),
        (("--role", "checkpoint", "--checkpoint", "CGK"), ("--kind: ",)),
        (("--role", "checkpoint", "--checkpoint", "CGK", "--kind", "door"), ("--kind: ",)),
        (("--role", "admin", "--role", "auditor", "--person", NIP), ("admin combines with no other role",)),
        (("--role", "integrator"), ("--agency: ", "no agency never means all")),
        (("--role", "integrator", "--agency", "KPK", "--network", "10.0.0.0/99"), ("--network: ",)),
        (("--role", "timpora", "--agency", "POLRI", "--person", NIP), ("--office: ",)),
        (
            ("--role", "timpora", "--agency", "POLRI", "--office", "POLDA", "--new-office", "--person", NIP),
            ("--office: The office's province is not known",),
        ),
        (
            ("--role", "submitter", "--agency", "KPK", "--office", "KANIM-BATAM", "--person", NIP),
            ("--office: The agency has no office with this code",),
        ),
    ],
)
def test_a_client_that_cannot_be_is_told_by_option(
    sqlite_url: str, arguments: tuple[str, ...], words: tuple[str, ...], tmp_path: Path
):
    refused(cekal("client", "create", *arguments, cwd=tmp_path, database_url=sqlite_url), 2, *words)


def test_a_mistyped_office_makes_none(sqlite_url: str, tmp_path: Path):
    at: dict[str, Any] = {"cwd": tmp_path, "database_url": sqlite_url}
    sort = ("--role", "submitter", "--agency", "IMIGRASI", "--office", "KANIM-BATAN", "--person", NIP)
    refused(cekal("client", "create", *sort, **at), 2, "--office: The agency has no office with this code")
    refused(cekal("offices", "KANIM-BATAN", **at), 2, "There is no office KANIM-BATAN")


def test_the_register_lists_what_it_knows(sqlite_url: str, tmp_path: Path):
    at: dict[str, Any] = {"cwd": tmp_path, "database_url": sqlite_url}
    assert len(cekal("agencies", "--json", **at).json["items"]) == 15
    assert len(cekal("checkpoints", "--json", **at).json["items"]) == 171
    assert cekal("agencies", "KPK", "--json", **at).json["name_en"] == "Corruption Eradication Commission"
    assert "Soekarno" in cekal("checkpoints", "CGK", **at).out
    assert "Kepulauan Riau" in cekal("offices", "KANIM-BATAM", **at).out
    refused(cekal("checkpoints", "XXX", **at), 2, "There is no checkpoint XXX")


def test_clients_whose_keys_end_soon_are_named(sqlite_url: str, tmp_path: Path):
    at: dict[str, Any] = {"cwd": tmp_path, "database_url": sqlite_url}
    gate = ("client", "create", "--role", "checkpoint", "--checkpoint", "CGK", "--kind", "counter", "--json")
    soon = cekal(*gate, **at, key_lifetime_days=20).json["id"]
    late = cekal(*gate, **at).json["id"]
    ended = cekal(*gate, **at, key_lifetime_days=20).json["id"]
    assert cekal("client", "revoke", ended, **at).code == 0
    assert [each["id"] for each in cekal("clients", "--json", **at).json["items"]] == [soon, late, ended]
    assert [each["id"] for each in cekal("clients", "--expiring", "30", "--json", **at).json["items"]] == [
        soon
    ]
    assert cekal("clients", "--expiring", "10", "--json", **at).json["items"] == []
    shown = cekal("clients", late, **at).out
    assert "key_" in shown
    assert "cekal_" not in shown
    refused(cekal("clients", "cli_x", **at), 2, "There is no client cli_x")


async def test_a_revoked_client_is_out_at_once(settings: Settings, http: httpx2.AsyncClient, tmp_path: Path):
    made = cekal(
        "client",
        "create",
        "--role",
        "auditor",
        "--person",
        NIP,
        "--json",
        cwd=tmp_path,
        database_url=settings.url,
    ).json
    mine = {"Authorization": f"Bearer {made['key']}"}
    expect(await http.get("/v1/agencies", headers=mine), 200)
    told = cekal("client", "revoke", made["id"], cwd=tmp_path, database_url=settings.url)
    assert told.code == 0, told.err
    expect(await http.get("/v1/agencies", headers=mine), 401)
    refused(
        cekal("client", "revoke", "cli_nobody", cwd=tmp_path, database_url=settings.url), 1, "no such client"
    )


async def test_no_key_of_a_suspended_admin_is_listed_as_working(
    settings: Settings, http: httpx2.AsyncClient, tmp_path: Path
):
    at: dict[str, Any] = {"cwd": tmp_path, "database_url": settings.url}
    admin, other = (
        cekal("client", "create", "--role", "admin", "--person", number, "--json", **at).json
        for number in (NIP, NIP[::-1])
    )
    by = {"Authorization": f"Bearer {other['key']}"}
    expect(await http.delete(f"/v1/clients/{admin['id']}", headers=by), 202)
    suspended = cekal("clients", admin["id"], "--json", **at).json
    assert (suspended["state"], suspended["key_until"]) == ("suspended", None)
    assert cekal("clients", other["id"], "--json", **at).json["key_until"] is not None


def test_the_help_names_every_role(tmp_path: Path):
    told = cekal("client", "create", "--help", cwd=tmp_path)
    assert [role for role in Role if role not in told.out] == []
