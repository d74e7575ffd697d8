"""Keys: what is shown, what is kept, from where they work, and whose they are."""

from datetime import UTC, datetime, timedelta
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.access.domain import (
    Client,
    Key,
    Role,
    Standing,
    actor_of,
    new_secret,
    parse_address,
    person_of,
    same_secret,
    split_key,
    within,
)

NOW = datetime(2026, 11, 23, 3, tzinfo=UTC)


def client(person: str | None = "198501", *roles: Role) -> Client:
    """A client."""
    held = frozenset(roles or {Role.SUBMITTER})
    nothing = {"kind": None, "agency": "KPK", "office": None, "checkpoint": None, "networks": ()}
    made = {"created_at": NOW, "created_by": None, "confirmed_by": None}
    return Client("cli_1", "name", held, person=person, standing=Standing.ACTIVE, **nothing, **made)


def key(standing: Standing = Standing.ACTIVE) -> Key:
    """A key that ends in an hour."""
    return Key("key_1", "cli_1", b"", standing, NOW, None, NOW + timedelta(hours=1), None)


def test_a_key_is_shown_whole_and_kept_as_a_hash_of_its_secret():
    text, kept = new_secret("key_01abc")
    assert text.startswith("cekal_01abc_")
    assert len(text.removeprefix("cekal_01abc_")) >= 43, "256 bits"
    assert split_key(text) == ("key_01abc", kept)
    assert kept == sha256(text.removeprefix("cekal_01abc_").encode()).digest()
    assert text.encode() not in kept


def test_no_two_keys_have_one_secret():
    assert len({new_secret("key_1")[1] for _ in range(100)}) == 100


@given(st.text(max_size=90))
def test_whatever_is_sent_as_a_key_is_read_or_refused_and_raises_nothing(text: str):
    read = split_key(text)
    assert read is None or text.startswith("cekal_")


@pytest.mark.parametrize(
    "text", ["", "cekal", "cekal_", "cekal__x", "cekal_a_", "other_a_b", "cekal_a_é", "cekal_a_" + "x" * 200]
)
def test_what_is_no_key_of_ours_is_not_read(text: str):
    assert split_key(text) is None


def test_secrets_are_the_same_only_when_every_byte_is():
    _, kept = new_secret("key_1")
    assert same_secret(kept, bytes(kept))
    assert not same_secret(kept, kept[:-1] + bytes([kept[-1] ^ 1]))


@pytest.mark.parametrize(
    ("networks", "address", "inside"),
    [
        ((), None, True),
        ((), "203.0.113.9", True),
        (("10.0.0.0/8",), "10.255.0.1", True),
        (("10.0.0.0/8",), "11.0.0.1", False),
        (("10.0.0.0/8",), "::ffff:10.0.0.1", True),
        (("10.0.0.0/8",), "::ffff:11.0.0.1", False),
        (("192.0.2.7",), "192.0.2.7", True),
        (("2001:db8::/32",), "2001:db8::1", True),
        (("2001:db8::/32",), "10.0.0.1", False),
        (("10.0.0.0/8", "2001:db8::/32"), "2001:db8::1", True),
        (("0.0.0.0/0",), None, False),
        (("0.0.0.0/0",), "testclient", False),
        (("10.0.0.0/8",), "10.0.0.1, 203.0.113.9", False),
        (("10.0.0.0/8",), "010.0.0.1", False),
    ],
)
def test_a_bound_key_works_inside_its_networks_only(
    networks: tuple[str, ...], address: str | None, *, inside: bool
):
    assert within(networks, address) == inside


def test_an_address_is_read_in_one_spelling():
    assert parse_address("::ffff:192.0.2.7") == parse_address("192.0.2.7")
    assert parse_address("nowhere") is parse_address(None) is None


@pytest.mark.parametrize("written", ["198503152010011002", "19850315-2010.01/1002", "1985-0315-2010-0110-02"])
def test_one_person_is_one_however_the_number_is_written(written: str):
    assert person_of(client(written)) == "198503152010011002"


def test_letters_of_a_number_count_but_not_their_case():
    assert person_of(client("nrp-71a")) == person_of(client("NRP71A")) == "NRP71A"
    assert person_of(client("NRP71B")) != "NRP71A"


def test_an_actor_is_the_person_and_a_machine_is_none():
    assert actor_of(client("1985.01"), key()).person == "198501"
    assert actor_of(client(None, Role.INTEGRATOR), key()).person is None


def test_a_key_counts_as_live_until_it_expires_or_is_revoked():
    assert key().live(NOW)
    assert key(Standing.PENDING).live(NOW)
    assert not key(Standing.REVOKED).live(NOW)
    assert not key().live(NOW + timedelta(hours=1))
