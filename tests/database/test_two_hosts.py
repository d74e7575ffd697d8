"""An address with two servers, as a deployment with a stand-by has: the one that takes writes is found."""

from pathlib import Path

import pytest
from sqlalchemy.engine import make_url

from app.settings import Settings
from tests.support.actors import Actors
from tests.support.processes import process
from tests.support.steps import sound


@pytest.mark.parametrize("engine_url", ["postgresql"], indirect=True)
async def test_the_server_that_takes_writes_is_found_behind_one_that_is_down(
    settings: Settings, actors: Actors, tmp_path: Path
) -> None:
    near = make_url(settings.url)
    both = near.set(host=f"127.0.0.250,{near.host}", query={"target_session_attrs": "read-write"})
    given = settings.model_copy(update={"database_url": both.render_as_string(hide_password=False)})
    async with process(given, tmp_path) as service:
        assert (await sound(service.http, await actors.client("submitter")))["alert"]
