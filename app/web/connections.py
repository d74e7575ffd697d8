"""Limits on the number of connections by address and by key: bookkeeping without sockets.

A connection counts against its address until a request on it has a valid key, then against the key. When a limit is
reached, the oldest connection that waits for its client, to send or to read, is closed: an honest client acts within
milliseconds, so a client that only holds connections open displaces its own.
"""

from collections import Counter, OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Final, Protocol

_LOOKED_AT: Final = 64
"""Number of the oldest connections that are searched for one to close."""

_ADDRESSES: Final = 10_000
"""Number of remembered addresses that have sent valid keys."""

_PREFIX: Final = 64
"""Bits of an IPv6 address that identify a network; a client can choose the rest freely (RFC 4291 section 2.5.4)."""


@dataclass(frozen=True, slots=True)
class Limits:
    """The upper limits of each connection and of the number of connections.

    Attributes:
        request_line_bytes: length of a request's target.
        header_fields: number of headers of a request.
        header_bytes: total length of all headers of a request.
        header_seconds: time from a request's first byte to the end of its headers; also for a TLS handshake.
        idle_seconds: time without a request, on a connection on which no request had a valid key so far.
        known_idle_seconds: time without a request, on a connection on which a request had a valid key, or from a proxy.
        total: number of all connections.
        reserve: the part of `total` that is kept for proxies and for addresses that have sent a valid key before.
        per_address: number of connections from one address on which no request had a valid key so far.
        per_key: number of connections on which the last valid key is the same.
        proxies: networks of proxies. Many clients share a proxy's connections, so these count against `total` only.
    """

    request_line_bytes: int
    header_fields: int
    header_bytes: int
    header_seconds: float
    idle_seconds: float
    known_idle_seconds: float
    total: int
    reserve: int
    per_address: int
    per_key: int
    proxies: Sequence[IPv4Network | IPv6Network] = ()


class Connection(Protocol):
    """The interface of a connection that `Connections` counts and may close.

    Attributes:
        address: the address whose limit the connection counts against; None for a proxy's connection.
        key: id of the last valid key in a request on the connection; None before the first.
        due: the time, in the event loop's seconds, at which `expire` must be called; infinite if there is none.
    """

    address: str | None
    key: str | None
    due: float

    @property
    def waits(self) -> bool:
        """Whether the server waits for the client to send a request or to read the answer."""
        ...

    def cut(self) -> None:
        """Close the connection now."""

    def close_after_answer(self) -> None:
        """Close the connection once the answer that is being sent is complete.

        A `BoundedProtocol` (of requests) does nothing while it answers no request. A `StreamConnection` always does
        nothing: its connection closes at the end of the stream in any case.
        """

    def expire(self, now: float) -> None:
        """End the wait that is overdue at `now`: close the connection, or set `due` anew."""


class Connections:
    """Counts the open connections of one process, and closes the oldest waiting one if a limit is exceeded.

    Attributes:
        limits: how many connections may be open: in all, from one address, and with one key.
        cut: number of refused or closed connections, by reason: the exceeded limit (`address`, `total`, `key`),
            `handshake`, `idle`, or the slug of the problem with which a request was refused.
    """

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.cut: Counter[str] = Counter()
        self._all: set[Connection] = set()
        self._strangers: OrderedDict[Connection, None] = OrderedDict()
        self._by_address: dict[str, dict[Connection, None]] = {}
        self._by_key: dict[str, dict[Connection, None]] = {}
        self._known: OrderedDict[str, None] = OrderedDict()

    def __len__(self) -> int:
        """Return the number of open connections."""
        return len(self._all)

    @property
    def strangers(self) -> int:
        """The number of open connections without a valid key so far."""
        return len(self._strangers)

    def address_of(self, peer: str | None) -> str | None:
        """Return the address against whose limit the connections of a peer count.

        It is the peer itself for IPv4, its /64 network for IPv6, and None for a proxy or an unknown peer (None).
        """
        if peer is None:
            return None
        try:
            address = ip_address(peer.partition("%")[0])
        except ValueError:
            return peer
        if any(address.version == network.version and address in network for network in self.limits.proxies):
            return None
        if isinstance(address, IPv6Address):
            mapped = address.ipv4_mapped
            return str(mapped or IPv6Network((int(address) >> _PREFIX << _PREFIX, _PREFIX)))
        return peer

    def arrive(self, connection: Connection) -> str | None:
        """Count a new connection, or refuse it if a limit is reached and no older connection can be closed for it.

        Returns the exhausted limit (`address` or `total`) if it was refused, or else None. The caller closes a refused
        connection.
        """
        self._all.add(connection)
        address = connection.address
        self._strangers[connection] = None
        if address is not None:
            theirs = self._by_address.setdefault(address, {})
            theirs[connection] = None
            if len(theirs) > self.limits.per_address and not self._make_room(theirs, connection, "address"):
                self._refuse(connection, "address")
                return "address"
        known = address is None or address in self._known
        most = self.limits.total if known else self.limits.total - self.limits.reserve
        if len(self._all) > most and not self._make_room(self._strangers, connection, "total"):
            self._refuse(connection, "total")
            return "total"
        return None

    def show_key(self, connection: Connection, key: str) -> None:
        """Count a connection against the key with the id `key`, which a request on it has shown.

        A connection counts against the last key only. A proxy's connection is ignored.

        If the key then has too many connections, its oldest other connection that waits for its client is closed. If
        none waits, `connection` itself is closed after its present answer.
        """
        if connection.key == key or connection not in self._all:
            return
        if connection.address is None:
            return
        self._take_out(connection)
        connection.key = key
        theirs = self._by_key.setdefault(key, {})
        theirs[connection] = None
        self._known[connection.address] = None
        self._known.move_to_end(connection.address)
        if len(self._known) > _ADDRESSES:
            self._known.popitem(last=False)
        if len(theirs) > self.limits.per_key and not self._make_room(theirs, connection, "key"):
            self.cut["key"] += 1
            connection.close_after_answer()

    def replace(self, former: Connection, connection: Connection) -> None:
        """Count `connection` instead of `former`, the object that served the same socket before.

        If `former` is not counted any more, because it is closing, `connection` is not counted either.
        """
        connection.address, connection.key = former.address, former.key
        if former not in self._all:
            return  # it is closing
        by_address, by_key = self._by_address.get(former.address or ""), self._by_key.get(former.key or "")
        for counted in (self._strangers, by_address, by_key):
            if counted is not None and former in counted:
                counted[connection] = None
        self._all.add(connection)
        self.leave(former)

    def leave(self, connection: Connection) -> None:
        """Stop counting a connection that is closed or closing; one that is not counted is ignored."""
        if connection in self._all:
            self._all.discard(connection)
            self._take_out(connection)

    def idle_seconds(self, connection: Connection) -> float:
        """Return how long a connection may be idle, in seconds.

        The time is longer for a proxy's connection, and if a request on the connection had a valid key.
        """
        if connection.key is None and connection.address is not None:
            return self.limits.idle_seconds
        return self.limits.known_idle_seconds

    def overdue(self, now: float) -> list[Connection]:
        """Return the connections with `due` at or before `now`, in no order. The caller calls their `expire`."""
        return [connection for connection in self._all if connection.due <= now]

    def _make_room(self, among: Iterable[Connection], newcomer: Connection, reason: str) -> bool:
        """Close the oldest connection that waits for its client, preferably one of an unknown address, if there is one.

        Returns whether one was closed.
        """
        first: Connection | None = None
        for _, each in zip(range(_LOOKED_AT), among, strict=False):
            if each is newcomer or not each.waits:
                continue
            if each.key is not None or (each.address is not None and each.address not in self._known):
                first = each
                break
            first = first or each
        if first is None:
            return False
        self._refuse(first, reason)
        first.cut()
        return True

    def _refuse(self, connection: Connection, reason: str) -> None:
        self.cut[reason] += 1
        self.leave(connection)

    def _take_out(self, connection: Connection) -> None:
        self._strangers.pop(connection, None)
        books, name = self._by_key, connection.key
        if name is None:
            books, name = self._by_address, connection.address
        if name is not None and (theirs := books.get(name)) is not None:
            theirs.pop(connection, None)
            if not theirs:
                del books[name]
