"""How many connections anybody may hold: bookkeeping without a socket.

A connection counts against its address until a valid key is seen on it, then against the key. Where there is no room,
the oldest connection goes whose client has the turn, to send or to read: an honest client takes its turn within
milliseconds, while one that only holds connections displaces its own.
"""

from collections import Counter, OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Final, Protocol

_LOOKED_AT: Final = 64
"""So many of the oldest connections are looked at for one that can go."""

_ADDRESSES: Final = 10_000
"""So many addresses are remembered from which valid keys came."""

_PREFIX: Final = 64
"""Bits of an IPv6 address that name a network; the rest its holder can choose at will (RFC 4291 section 2.5.4)."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What a connection may take and how many there may be; the settings of the same names.

    Attributes:
        request_line_bytes: length of a request's target.
        header_fields: how many headers a request has.
        header_bytes: how long they are together.
        header_seconds: from a request's first byte to the end of its headers.
        idle_seconds: without a request, before a valid key was seen on the connection.
        known_idle_seconds: the same, afterwards.
        total: how many connections there are.
        reserve: how many of these only addresses from which a valid key came may use.
        per_address: how many without a key an address may hold.
        per_key: how many a key may hold; above it they close after their answer.
        proxies: networks whose connections many clients share, so that none of them counts.
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
    """What the books know of a connection.

    Attributes:
        address: what it counts against; None for a proxy's, which many clients share.
        key: id of the last valid key seen on it, None for none.
        due: when it is looked at again, in the event loop's seconds.
    """

    address: str | None
    key: str | None
    due: float

    @property
    def waits(self) -> bool:
        """Whether its client has the turn: to send a request, the rest of one, or to read the answer."""
        ...

    def cut(self) -> None:
        """Close it now."""

    def close_after_answer(self) -> None:
        """Close it once its answer is sent."""


class Connections:
    """The connections of one process.

    Attributes:
        limits: what holds.
        cut: how many were refused or ended, by reason.
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
        """How many connections are open."""
        return len(self._all)

    @property
    def strangers(self) -> int:
        """How many are open on which no valid key was seen."""
        return len(self._strangers)

    def address_of(self, peer: str | None) -> str | None:
        """What connections from there count against: an IPv4 address, an IPv6 network, or None for a proxy."""
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
        """Take a new connection in; gives why not, if there is no room for it (`address`, `total`)."""
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
        """A valid key was seen on the connection: from now on it counts against this key."""
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

    def leave(self, connection: Connection) -> None:
        """The connection is closed, or as good as closed."""
        if connection in self._all:
            self._all.discard(connection)
            self._take_out(connection)

    def idle_seconds(self, connection: Connection) -> float:
        """How long the connection may be without a request."""
        if connection.key is None and connection.address is not None:
            return self.limits.idle_seconds
        return self.limits.known_idle_seconds

    def overdue(self, now: float) -> list[Connection]:
        """Connections that are to be looked at."""
        return [connection for connection in self._all if connection.due <= now]

    def _make_room(self, among: Iterable[Connection], newcomer: Connection, reason: str) -> bool:
        """Cut the oldest that waits for its client, one of an unknown address first; False if there is none."""
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
