"""Admission: from the Authorization header to an actor."""

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
from app.db.unit import Actor, Reader
from app.errors import RateLimited, Unauthenticated
from app.settings import Settings

_WINDOW = 60.0
_REMEMBERED = 10_000


class Gate:
    """Admits holders of live keys, slows guessers, and remembers the callers that it admitted.

    What is remembered holds only while the register's access version is unchanged (`recall`), so that the hot
    path may skip the look-up without a revoked key ever being served again.
    """

    def __init__(self, settings: Settings) -> None:
        self._limit = settings.failed_keys_per_minute
        self._address_limit = settings.failed_keys_per_address
        self._failures: OrderedDict[tuple[str | None, str | None], deque[float]] = OrderedDict()
        self._remembered: dict[str, tuple[Actor, tuple[str, ...]]] = {}
        self.version = -1

    async def admit(self, reader: Reader, header: str | None, address: str | None) -> Actor:
        """The actor whose key stands in an `Authorization: Bearer` header.

        Args:
            reader: a transaction on the register.
            header: the header's value, None when there is none.
            address: where the request comes from.

        Raises:
            Unauthenticated: no key, or it is unknown, expired, revoked, pending, or bound to other networks.
            RateLimited: this address has failed too often, with this key id or with many; never raised for a
                valid key.
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
        if version == self.version and header == f"Bearer {shown}":  # no stale look-up, one entry a key
            self._remembered[header] = (actor, client.networks)
        return actor

    def recall(self, header: str | None, address: str | None) -> Actor | None:
        """The actor admitted before with this header; the caller must make sure that `version` still holds."""
        known = self._remembered.get(header or "")
        if known is None:
            return None
        actor, networks = known
        return actor if not networks or within(networks, address) else None

    def renew(self, version: int) -> bool:
        """Take note of the register's access version; True when it has grown and all memory was dropped."""
        if version == self.version:
            return False
        self.version = version
        self._remembered.clear()
        return True

    def _failed(self, address: str | None, key_id: str) -> Unauthenticated | RateLimited:
        now = time.monotonic()
        of_address = self._failures_of((address, None), now)
        # First the address: who guesses key ids shall not fill the memory with them.
        if len(of_address) >= self._address_limit:
            return _slowed("Too many failed attempts from this address.", of_address, now)
        of_key = self._failures_of((address, key_id), now)
        if len(of_key) >= self._limit:
            return _slowed("Too many failed attempts with this key.", of_key, now)
        of_address.append(now)
        of_key.append(now)
        return Unauthenticated("The key is unknown, expired, revoked, not yet confirmed, or used elsewhere.")

    def _failures_of(self, account: tuple[str | None, str | None], now: float) -> deque[float]:
        """When an address failed within the last minute, with one key id or (None) with any."""
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


async def still_admitted(reader: Reader, key_ids: set[str]) -> set[str]:
    """Those of the keys that work at this moment; for open streams after the access version grew."""
    pairs = await store.list_keys_with_clients(reader, sorted(key_ids))
    return {key_id for key_id, (key, client) in pairs.items() if _works(key, client, reader)}
