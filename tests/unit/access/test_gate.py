"""The gate: guessers are slowed, holders never, and what it remembers is never older than a revocation."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest

from app.access import store
from app.access.admission.gate import Gate
from app.access.domain import SYSTEM, Client, Key, Kind, Role, Standing, new_secret
from app.db.unit import Reader
from app.errors import RateLimited, Unauthenticated
from app.settings import Settings

NOW = datetime(2026, 11, 23, 3, tzinfo=UTC)
READER = Reader(cast("Any", None), NOW, SYSTEM)


class Register:
    """Stands in for the tables: one client, one key, and the access version."""

    def __init__(self) -> None:
        self.text, secret_hash = new_secret("key_1")
        self.version = 7
        made: dict[str, Any] = {"created_at": NOW, "created_by": None, "confirmed_by": None}
        self.client = Client(
            *("cli_1", "counter", frozenset({Role.CHECKPOINT}), Kind.COUNTER),
            *(None, None, "CGK", None, (), Standing.ACTIVE),
            **made,
        )
        self.key = Key(
            "key_1", "cli_1", secret_hash, Standing.ACTIVE, NOW, None, NOW + timedelta(days=1), None
        )
        self.looked_up = 0

    async def find_key(self, _reader: Reader, key_id: str) -> tuple[Key, Client, int] | None:
        self.looked_up += 1
        return (self.key, self.client, self.version) if key_id == self.key.id else None

    @property
    def header(self) -> str:
        return f"Bearer {self.text}"


@pytest.fixture
def register(monkeypatch: pytest.MonkeyPatch) -> Register:
    made = Register()
    monkeypatch.setattr(store, "find_key", made.find_key)
    return made


@pytest.fixture
def gate() -> Gate:
    return Gate(Settings(failed_keys_per_minute=3, failed_keys_per_address=20))


async def failing(
    gate: Gate, header: str | None, address: str = "192.0.2.1", times: int = 1
) -> type[Exception]:
    """What the last of some attempts gets."""
    for _ in range(times):
        with pytest.raises((Unauthenticated, RateLimited)) as refused:
            await gate.admit(READER, header, address)
    return type(refused.value)


@pytest.mark.parametrize("header", [None, "", "Bearer", "Bearer ", "Basic dXNlcjpwYXNz", "cekal_1_x"])
async def test_without_a_key_nobody_is_admitted_and_nobody_is_slowed(
    gate: Gate, register: Register, header: str | None
):
    assert await failing(gate, header, times=10) is Unauthenticated
    assert register.looked_up == 0


async def test_guesses_are_slowed_by_address_and_key_id_and_a_valid_key_never_is(
    gate: Gate, register: Register
):
    guess = register.header[:-1] + ("a" if register.header[-1] != "a" else "b")
    assert await failing(gate, guess, times=3) is Unauthenticated
    assert await failing(gate, guess) is RateLimited
    assert await failing(gate, guess, address="192.0.2.2") is Unauthenticated
    assert await failing(gate, "Bearer cekal_2_other") is Unauthenticated
    assert (await gate.admit(READER, register.header, "192.0.2.1")).client_id == "cli_1"
    assert await failing(gate, guess) is RateLimited, "the holder's success does not help the guesser"


async def test_who_is_slowed_is_told_when_to_come_again(gate: Gate, register: Register):
    await failing(gate, "Bearer cekal_9_x", times=3)
    with pytest.raises(RateLimited) as refused:
        await gate.admit(READER, "Bearer cekal_9_x", "192.0.2.1")
    assert refused.value.retry_after is not None
    assert 0 < refused.value.retry_after <= 61


async def test_keys_that_are_none_of_ours_share_one_account_an_address(gate: Gate, register: Register):
    for text in ("x", "y", "z"):
        assert await failing(gate, f"Bearer {text}") is Unauthenticated
    assert await failing(gate, "Bearer w") is RateLimited


async def test_guesses_of_many_key_ids_are_slowed_by_address_and_a_valid_key_never_is(
    gate: Gate, register: Register
):
    for number in range(20):
        assert await failing(gate, f"Bearer cekal_{number + 100}_x") is Unauthenticated
    assert await failing(gate, "Bearer cekal_500_x") is RateLimited
    assert await failing(gate, "Bearer cekal_500_x", address="192.0.2.2") is Unauthenticated
    assert (await gate.admit(READER, register.header, "192.0.2.1")).client_id == "cli_1"
    assert len(gate._failures) == 23, "an address that is slowed fills no memory with further key ids"


async def test_a_key_works_until_the_instant_at_which_it_expires(gate: Gate, register: Register):
    just_before = replace(READER, now=register.key.expires_at - timedelta(microseconds=1))
    assert await gate.admit(just_before, register.header, None)
    with pytest.raises(Unauthenticated):
        await gate.admit(replace(READER, now=register.key.expires_at), register.header, None)


@pytest.mark.parametrize("standing", [Standing.PENDING, Standing.REVOKED])
async def test_neither_a_waiting_nor_a_revoked_client_or_key_is_admitted(
    gate: Gate, register: Register, standing: Standing
):
    works = register.key
    register.key = replace(works, standing=standing)
    assert await failing(gate, register.header) is Unauthenticated
    register.key, register.client = works, replace(register.client, standing=standing)
    assert await failing(gate, register.header) is Unauthenticated


async def test_what_is_remembered_is_dropped_when_access_has_changed(gate: Gate, register: Register):
    assert gate.renew(register.version)
    admitted = await gate.admit(READER, register.header, None)
    assert gate.recall(register.header, None) == admitted
    assert not gate.renew(register.version)
    assert gate.recall(register.header, None) == admitted
    assert gate.renew(register.version + 1)
    assert gate.recall(register.header, None) is None


async def test_a_look_up_that_a_revocation_has_overtaken_is_not_remembered(gate: Gate, register: Register):
    """The key was read at version 7; before the reader goes on, a check has seen version 8."""
    gate.renew(8)
    await gate.admit(READER, register.header, None)
    assert gate.recall(register.header, None) is None


async def test_one_key_is_remembered_once_however_its_header_is_spelt(gate: Gate, register: Register):
    gate.renew(register.version)
    for spelling in (f"bearer {register.text}", f"BEARER {register.text}", f"Bearer   {register.text}"):
        assert await gate.admit(READER, spelling, None)
        assert gate.recall(spelling, None) is None
    assert gate._remembered == {}


async def test_what_is_remembered_still_depends_on_the_network(gate: Gate, register: Register):
    register.client = replace(register.client, networks=("10.0.0.0/8",))
    gate.renew(register.version)
    await gate.admit(READER, register.header, "10.0.0.1")
    assert gate.recall(register.header, "10.0.0.2")
    assert gate.recall(register.header, "192.0.2.1") is None
    assert await failing(gate, register.header, "192.0.2.1") is Unauthenticated
