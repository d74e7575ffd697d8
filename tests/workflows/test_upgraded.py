"""What somebody is shown who brings a register of before up to date."""

import asyncio
import json
from pathlib import Path
from typing import Any

from app.access.clients.revocations import revoke_client
from app.access.domain import SYSTEM
from app.access.pepper import FILE
from app.runtime import Runtime
from app.settings import Settings
from tests.support.actors import Actors
from tests.support.cli import cekal
from tests.support.databases import PEPPER
from tests.support.processes import process

NOTICE = "Integrators of no agency"


async def test_an_integrator_without_an_agency_is_named_by_migrate_and_at_every_start(
    runtime: Runtime, settings: Settings, actors: Actors, tmp_path: Path
):
    of_nobody = await actors.integrator_of_nobody()
    at = {"cwd": tmp_path, "database_url": settings.url, "data_dir": tmp_path}
    told = await asyncio.to_thread(cekal, "migrate", **at)
    assert told.code == 0, told.err
    assert f"{NOTICE}: {of_nobody.id}. They are shown nobody's personal data." in told.out
    async with process(settings, tmp_path) as served:
        assert of_nobody.id in served.log.read_text()
    async with runtime.writing(SYSTEM) as unit:
        await revoke_client(unit, of_nobody.id)
    assert NOTICE not in (await asyncio.to_thread(cekal, "migrate", **at)).out


async def test_files_that_others_may_read_are_named_at_every_start_and_left_as_they_are(
    settings: Settings, tmp_path: Path
):
    pepper = tmp_path / FILE
    pepper.write_text(f"hex:{PEPPER.encode().hex()}")
    files = [pepper]
    if settings.url.startswith("sqlite"):
        register = Path(settings.url.removeprefix("sqlite:///"))
        files += [register, register.with_name("register-checks.db")]
    for file in files:
        file.chmod(0o640)
    async with process(settings, tmp_path, key_pepper="") as served:
        warned = [line for line in lines(served.log) if "other users of this machine" in line["message"]]
    assert [(line["level"], "chmod 600" in line["remedy"]) for line in warned] == [("WARNING", True)]
    assert {f"{file} (0640)" for file in files} <= set(warned[0]["paths"])
    assert {file.stat().st_mode & 0o777 for file in files} == {0o640}
    for file in files:
        file.parent.chmod(0o700)
        for each in (pepper, *file.parent.glob("register*.db*")):  # its journals have taken over its mode
            each.chmod(0o600)
    quiet = tmp_path / "quiet"
    quiet.mkdir()
    async with process(settings, quiet) as served:
        assert [line for line in lines(served.log) if "other users" in line["message"]] == []


def lines(log: Path) -> list[dict[str, Any]]:
    """The lines of a service's log."""
    return [json.loads(line) for line in log.read_text().splitlines()]
