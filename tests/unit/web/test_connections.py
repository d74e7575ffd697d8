"""Who may hold how many connections, tried without a socket."""

import math
from dataclasses import dataclass, replace
from ipaddress import ip_network

import pytest

from app.web.connections import Connections, Limits

LIMITS = Limits(
    request_line_bytes=100,
    header_fields=10,
    header_bytes=1000,
    header_seconds=15,
    idle_seconds=10,
    known_idle_seconds=300,
    total=10,
    reserve=4,
    per_address=3,
    per_key=2,
    proxies=(ip_network("10.0.0.0/8"),),
)


@dataclass(eq=False)
class Line:
    address: str | None = "192.0.2.1"
    waits: bool = True
    key: str | None = None
    due: float = math.inf
    gone: bool = False
    last: bool = False

    def cut(self) -> None:
        self.gone = True

    def close_after_answer(self) -> None:
        self.last = True

    def expire(self, now: float) -> None:
        self.due = now


def taken(books: Connections, *lines: Line) -> list[str | None]:
    return [books.arrive(line) for line in lines]


def test_a_newcomer_displaces_the_oldest_that_waits_at_its_address():
    books = Connections(LIMITS)
    lines = [Line(waits=False), *(Line() for _ in range(3))]
    other = Line("192.0.2.2")
    assert taken(books, other, *lines) == [None] * 5
    assert [line.gone for line in (other, *lines)] == [False, False, True, False, False]
    assert (len(books), books.cut) == (4, {"address": 1})


def test_where_all_are_being_answered_a_newcomer_is_refused():
    books = Connections(LIMITS)
    assert taken(books, *(Line(waits=False) for _ in range(4))) == [None, None, None, "address"]
    assert len(books) == 3


def test_a_key_takes_the_connection_off_its_address():
    books = Connections(LIMITS)
    keyed = [Line() for _ in range(3)]
    for line in keyed:
        books.arrive(line)
        books.show_key(line, "key_a" if line is keyed[0] else "key_b")
    assert taken(books, *(Line() for _ in range(3))) == [None] * 3
    assert not any(line.gone for line in keyed)
    assert (len(books), books.strangers) == (6, 3)


def test_a_key_holds_so_many_and_its_oldest_goes_first():
    books = Connections(LIMITS)
    idle, *busy = lines = [Line(), Line(waits=False), Line(waits=False), Line(waits=False)]
    for line in lines:
        books.arrive(line)
        books.show_key(line, "key_a")
    assert idle.gone
    assert [line.last for line in busy] == [False, False, True]
    assert not any(line.gone for line in busy)


def test_a_connection_counts_against_the_last_key_it_showed():
    books = Connections(LIMITS)
    line = Line()
    books.arrive(line)
    for key in ("key_a", "key_b", "key_b"):
        books.show_key(line, key)
    others = [Line(), Line()]
    for other in others:
        books.arrive(other)
        books.show_key(other, "key_a")
    assert not any(each.gone for each in (line, *others))
    for each in (line, *others):
        books.leave(each)
    assert (len(books), books.strangers, books._by_key, books._by_address) == (0, 0, {}, {})


def test_the_reserve_is_for_addresses_that_are_known():
    books = Connections(LIMITS)
    known = Line("198.51.100.1")
    books.arrive(known)
    books.show_key(known, "key_a")
    crowd = [Line(f"192.0.2.{number}", waits=False) for number in range(5)]
    assert taken(books, *crowd) == [None] * 5
    assert books.arrive(Line("203.0.113.1")) == "total"
    assert taken(books, *(Line("198.51.100.1") for _ in range(3))) == [None] * 3
    assert len(books) == 9


def test_of_all_strangers_those_of_known_addresses_go_last():
    books = Connections(replace(LIMITS, total=5, reserve=0))
    known = Line("198.51.100.1")
    books.arrive(known)
    books.show_key(known, "key_a")
    returning, unknown = Line("198.51.100.1"), Line("203.0.113.1")
    taken(books, returning, Line(None), unknown, Line("203.0.113.2"))
    assert books.arrive(Line("198.51.100.1")) is None
    assert (unknown.gone, returning.gone, known.gone) == (True, False, False)


def test_connections_of_a_proxy_are_shared_and_count_against_nobody():
    books = Connections(LIMITS)
    lines = [Line(books.address_of("10.1.2.3")) for _ in range(5)]
    assert taken(books, *lines) == [None] * 5
    books.show_key(lines[0], "key_a")
    assert lines[0].key is None
    assert books.idle_seconds(lines[0]) == 300


@pytest.mark.parametrize(
    ("peer", "address"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("10.9.9.9", None),
        (None, None),
    ],
)
def test_an_address_is_a_host_or_the_network_whose_holder_chooses_the_rest(
    peer: str | None, address: str | None
):
    assert Connections(LIMITS).address_of(peer) == address


def test_a_key_lengthens_the_idle_time():
    books = Connections(LIMITS)
    line = Line()
    books.arrive(line)
    assert books.idle_seconds(line) == 10
    books.show_key(line, "key_a")
    assert books.idle_seconds(line) == 300


def test_what_is_overdue_is_found():
    books = Connections(LIMITS)
    early, late = Line(due=1), Line(due=3)
    taken(books, early, late)
    assert books.overdue(2) == [early]


@pytest.mark.parametrize("key", [None, "key_a"])
@pytest.mark.parametrize("address", ["192.0.2.1", None])
def test_a_connection_that_takes_anothers_place_is_counted_as_it_was(key: str | None, address: str | None):
    books = Connections(LIMITS)
    former, other, stream = Line(address), Line(address), Line("192.0.2.9", waits=False)
    for line in (former, other):
        books.arrive(line)
        if key is not None:
            books.show_key(line, key)
    counted = (len(books), books.strangers)
    books.replace(former, stream)
    assert (len(books), books.strangers) == counted
    assert (stream.address, stream.key) == (former.address, former.key)
    stream.due = former.due = 5.0
    assert books.overdue(6.0) == [stream]
    for line in (former, stream, other):
        books.leave(line)
    assert (len(books), books.strangers, books._by_address, books._by_key) == (0, 0, {}, {})


def test_what_is_refused_already_takes_no_place():
    books = Connections(LIMITS)
    former, stream = Line(), Line()
    books.arrive(former)
    books.leave(former)
    books.replace(former, stream)
    assert len(books) == 0


def test_a_stream_counts_against_its_key_in_the_place_of_its_request():
    books = Connections(LIMITS)
    requests = [Line(waits=False), Line(waits=False)]
    for line in requests:
        books.arrive(line)
        books.show_key(line, "key_a")
        books.replace(line, Line(waits=False))
    third = Line(waits=False)
    books.arrive(third)
    books.show_key(third, "key_a")
    assert third.last
