"""Use cases of witnesses: the policy, which keys cosigned a head, and which witness is late."""

from collections.abc import Collection
from contextlib import suppress
from functools import cache
from pathlib import Path

from app.db.unit import Reader
from app.settings import Settings
from app.sync.witnesses import store
from app.sync.witnesses.domain import Cosigner, WitnessState, witnesses_of
from app.tlog.keys import VerifierKey
from app.tlog.notes import Note
from app.tlog.policy import Policy, PolicyMalformed


class WitnessPolicyRefused(RuntimeError):
    """The file of CEKAL_WITNESS_POLICY can't be used; the message gives the reason."""


def read_policy(settings: Settings) -> Policy | None:
    """Return the witness policy (trusted witnesses, and how many must cosign) of the settings; None if no file is set.

    Raises:
        WitnessPolicyRefused: the file can't be read, is not a valid policy, or contains an address without http(s).
    """
    return None if settings.witness_policy is None else _read(settings.witness_policy)


def _read(path: Path) -> Policy:
    try:
        policy = Policy.parse(path.read_bytes())
    except PolicyMalformed as error:
        raise WitnessPolicyRefused(f"{path}, {error}.") from None
    except OSError as error:
        raise WitnessPolicyRefused(f"{path} can't be read: {error.strerror}.") from None
    _expect_addresses(path, policy)
    return policy


def _expect_addresses(path: Path, policy: Policy) -> None:
    for each in witnesses_of(policy):
        if not each.url.startswith(("http://", "https://")) or not each.url.isascii():
            raise WitnessPolicyRefused(f"{path}: {each.url!a} is not an http or https address.")


@cache
def policy_in_use(file: Path | None) -> Policy:
    """Return the witness policy in a file; without a file, a policy that demands no witness.

    A process reads each file once: later changes of the file have no effect.

    Raises:
        WitnessPolicyRefused: the file can't be read, is not a valid policy, or contains an address without http(s).
    """
    return Policy.without_witnesses() if file is None else _read(file)


async def list_cosigning_keys(reader: Reader, epoch: str, size: int) -> list[VerifierKey]:
    """Return the keys of witnesses that have cosigned the head of this epoch and size; empty for an unknown head.

    Keys whose stored text can't be read are omitted.
    """
    keys = []
    for each in await store.list_cosigners(reader, epoch, size):
        with suppress(ValueError):
            keys.append(VerifierKey.parse(each.vkey))
    return keys


async def list_cosigners(reader: Reader, epoch: str, size: int) -> list[Cosigner]:
    """Return the keys that cosigned the head of this epoch and size, by witness name; empty for an unknown head."""
    return await store.list_cosigners(reader, epoch, size)


async def cosigned_note(reader: Reader, epoch: str, size: int, note: Note) -> Note:
    """Return `note`, the note of the head of this epoch and size, with the head's stored cosignatures appended.

    Raises:
        KeyMalformed: the stored text of a witness's key can't be read.
    """
    return await store.cosigned_note(reader, epoch, size, note)


async def page_cosigned_sizes(
    reader: Reader, epoch: str, after: int, keys: Collection[VerifierKey], least: int
) -> list[int]:
    """Return at most 50 sizes of heads that enough witnesses have cosigned, smallest first; empty at the end.

    Args:
        reader: the transaction.
        epoch: the epoch of the heads.
        after: only sizes above this one are returned.
        keys: the keys of witnesses that count.
        least: how many of these keys must have cosigned the head.
    """
    return await store.page_cosigned_sizes(reader, epoch, after, keys, least)


async def list_states(reader: Reader, policy: Policy) -> list[WitnessState]:
    """Return what is known of each witness of a policy, in the policy's order; those without an address are omitted."""
    known = await store.list_states(reader)
    return [known.get(each.url, WitnessState(each.url)) for each in witnesses_of(policy)]


async def is_witnessed(reader: Reader, policy: Policy, epoch: str, size: int) -> bool:
    """Return whether the head of this epoch and size has as many cosignatures as a policy demands.

    Raises:
        ValueError: a stored key can't be read.
    """
    found = await store.list_cosigners(reader, epoch, size)
    return policy.is_witnessed(VerifierKey.parse(each.vkey) for each in found)
