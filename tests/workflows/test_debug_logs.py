"""What level DEBUG adds to the log of a real process: never a statement's parameters, a row or a key."""

from pathlib import Path

import httpx2

from app.runtime import Runtime
from app.settings import Settings
from tests.support.actors import Actors
from tests.support.bodies import entry_body
from tests.support.processes import process

REFUSE_ENTRIES = {
    True: "CREATE TRIGGER refused BEFORE INSERT ON entry BEGIN SELECT RAISE(ABORT, 'never'); END",
    False: "ALTER TABLE entry ADD CONSTRAINT refused CHECK (id = '') NOT VALID",
}


async def test_a_statement_that_fails_is_logged_without_what_it_was_to_store(
    settings: Settings, runtime: Runtime, actors: Actors, tmp_path: Path
):
    submitter = await actors.client("submitter")
    async with runtime.register.writing() as connection:
        await connection.exec_driver_sql(REFUSE_ENTRIES[runtime.register.is_sqlite])
    body = entry_body()
    async with process(settings, tmp_path, log_level="DEBUG") as service:
        answer = await service.http.post("/v1/entries", json=body, headers=submitter.headers)
        assert answer.status_code == httpx2.codes.INTERNAL_SERVER_ERROR
    log = service.log.read_text()
    assert "IntegrityError" in log
    assert "INSERT INTO entry" in log, "the statement itself says nothing about anybody"
    assert "[parameters:" not in log
    assert "Failing row" not in log
    (number,) = {document["number"] for document in body["subject"]["documents"]}
    secret = submitter.key.split("_", 2)[2]  # it may hold further ones
    for told in (body["subject"]["full_name"], number, submitter.person, secret, submitter.key):
        assert told not in log
