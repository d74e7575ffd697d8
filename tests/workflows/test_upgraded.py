"""What somebody is shown who brings a register of before up to date."""

import asyncio
from pathlib import Path

from app.access.domain import SYSTEM
from app.access.revocations import revoke_client
from app.runtime import Runtime
from app.settings import Settings
from tests.support.actors import Actors
from tests.support.cli import cekal
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
