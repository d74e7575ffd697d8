"""Authentication: finds the actor of the key in a request's Authorization header."""

import time
from collections import OrderedDict, deque

from app.access import store
from app.access.domain import (
    Client,
    Key,
    Standing,
    actor_of,
    same_secret,
    split_key,
    within,
)
from app.actor import Actor
from app.db.unit import Reader
from app.errors import RateLimited, Unauthenticated
from app.settings import Settings

_WINDOW = 60.0
_REMEMBERED = 10_000


class Gate:
    """Authenticates callers by their keys, limits the rate of failed attempts, and caches admitted callers.

    The register has an access version: a number that every change of clients, keys or offices raises. A cached caller
    may be used only while this number is `version`; so a revoked key is never accepted from the cache.

    Attributes:
        version: the access version to which the cache belongs; -1 before the first `renew`.
    """

    def __init__(self, settings: Settings) -> None:
        self._limit = settings.failed_keys_per_minute
        self._address_limit = settings.failed_keys_per_address
        self._failures: OrderedDict[tuple[str | None, str | None], deque[float]] = OrderedDict()
        self._remembered: dict[str, tuple[Actor, tuple[str, ...]]] = {}
        self.version = -1

    async def admit(self, reader: Reader, header: str | None, address: str | None) -> Actor:
        """Authenticate the key in an `Authorization: Bearer` header, and return its actor.

        Args:
            reader: a transaction on the register.
            header: the header's value, or None without the header.
            address: the client's network address; None if unknown.

        Raises:
            Unauthenticated: the key is missing, unknown or expired; the key or its client is revoked, suspended or not
                confirmed yet; or the key may not be used from this address.
            RateLimited: the key is not valid, and too many attempts from this address failed in the last minute. Two
                limits apply: one to the attempts with this key id, one to the attempts with any key.
        """
        scheme, _, shown = (header or "").partition(" ")
        if scheme.lower() != "bearer" or not shown:
            raise Unauthenticated("A key is needed: Authorization: Bearer <key>.")
        shown = shown.strip()
        parts = split_key(shown)
        if parts is None:
            raise self._failed(address, "")
        key_id, shown_hash = parts
        found = await store.find_key(reader, key_id)
        if found is None:
            raise self._failed(address, key_id)
        key, client, version = found
        if not (same_secret(key.secret_hash, shown_hash) and _works(key, client, reader)):
            raise self._failed(address, key_id)
        if not within(client.networks, address):
            raise self._failed(address, key_id)
        actor = actor_of(client, key)
        if version == self.version and header == f"Bearer {shown}":  # no stale look-up, one entry per key
            made = (actor, client.networks)
            known = self._remembered.get(header)
            if known == made:
                return known[0]  # one object for all streams of a key
            self._remembered[header] = made
        return actor

    def recall(self, header: str | None, address: str | None) -> Actor | None:
        """Return the cached actor of an `Authorization` header from this client address; None if it is not cached.

        The caller must check that `version` is still the register's access version and that the key has not expired.
        """
        known = self._remembered.get(header or "")
        if known is None:
            return None
        actor, networks = known
        return actor if not networks or within(networks, address) else None

    def renew(self, version: int) -> bool:
        """Set `version` to the register's access version, and empty the cache if it changed. Returns whether it has."""
        if version == self.version:
            return False
        self.version = version
        self._remembered.clear()
        return True

    def _failed(self, address: str | None, key_id: str) -> Unauthenticated | RateLimited:
        now = time.monotonic()
        of_address = self._failures_of((address, None), now)
        # The address is checked first, so that a caller that guesses key ids cannot fill the memory.
        if len(of_address) >= self._address_limit:
            return _slowed("Too many failed attempts from this address.", of_address, now)
        of_key = self._failures_of((address, key_id), now)
        if len(of_key) >= self._limit:
            return _slowed("Too many failed attempts with this key.", of_key, now)
        of_address.append(now)
        of_key.append(now)
        return Unauthenticated("The key is unknown, expired, revoked, not yet confirmed, or used elsewhere.")

    def _failures_of(self, account: tuple[str | None, str | None], now: float) -> deque[float]:
        """Return the times of an address's failures within the last minute, with one key id or (None) with any."""
        times = self._failures.setdefault(account, deque())
        self._failures.move_to_end(account)
        while len(self._failures) > _REMEMBERED:
            self._failures.popitem(last=False)
        while times and times[0] < now - _WINDOW:
            times.popleft()
        return times


def _slowed(detail: str, times: deque[float], now: float) -> RateLimited:
    return RateLimited(detail, retry_after=int(times[0] + _WINDOW - now) + 1)


def _works(key: Key, client: Client, reader: Reader) -> bool:
    return (
        key.standing is Standing.ACTIVE and client.standing is Standing.ACTIVE and reader.now < key.expires_at
    )


async def list_valid_keys(reader: Reader, key_ids: set[str]) -> set[str]:
    """Return those of the given ids whose keys are valid; unknown ids are left out.

    A key is valid if it is active and has not expired, and its client is active.
    """
    pairs = await store.list_keys_with_clients(reader, sorted(key_ids))
    return {key_id for key_id, (key, client) in pairs.items() if _works(key, client, reader)}
