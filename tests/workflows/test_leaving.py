"""Connections that are open when a process is told to end: each is served once more, for the last time."""

import asyncio
import re
import socket
import threading

import pytest

from app.web import protocol
from app.web.protocol import BoundedProtocol
from tests.support.served import LONGEST, Served

REQUEST = b"GET /healthz HTTP/1.1\r\nHost: register\r\n\r\n"


@pytest.fixture
def connections(monkeypatch: pytest.MonkeyPatch) -> list[BoundedProtocol]:
    """The connections that the server has taken."""
    taken: list[BoundedProtocol] = []
    accept = BoundedProtocol.connection_made

    def note(self: BoundedProtocol, transport: asyncio.Transport) -> None:
        taken.append(self)
        accept(self, transport)

    monkeypatch.setattr(BoundedProtocol, "connection_made", note)
    return taken


def tell_to_end(served: Served, connection: BoundedProtocol) -> None:
    """Tell a connection that its process ends, as uvicorn does."""
    told = threading.Event()

    def tell() -> None:
        connection.shutdown()
        told.set()

    served.act(tell)
    assert told.wait(LONGEST)


def answered(line: socket.socket) -> bytes:
    """The head of the next answer; its body is read too."""
    data = b""
    while not (found := re.search(rb"content-length: ([0-9]+)\r\n(?s:.*)\r\n\r\n", data)) or len(
        data
    ) < found.end() + int(found[1]):
        part = line.recv(4096)
        assert part, "closed without an answer"
        data += part
    return data[: found.end()]


async def test_it_answers_one_more_request_and_says_that_it_closes(
    served: Served, connections: list[BoundedProtocol], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(protocol, "LEAVING_SECONDS", LONGEST)

    def ask() -> None:
        with socket.create_connection(("127.0.0.1", served.port), timeout=LONGEST) as line:
            line.sendall(REQUEST)
            assert b"connection: close" not in answered(line)
            tell_to_end(served, connections[0])
            line.sendall(REQUEST)
            assert b"connection: close" in answered(line)
            assert line.recv(1) == b""

    await asyncio.to_thread(ask)


async def test_it_is_closed_without_an_answer_where_nothing_more_is_asked(
    served: Served, connections: list[BoundedProtocol], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(protocol, "LEAVING_SECONDS", 0.01)

    def wait() -> bytes:
        with socket.create_connection(("127.0.0.1", served.port), timeout=LONGEST) as line:
            line.sendall(REQUEST)
            answered(line)
            tell_to_end(served, connections[0])
            return line.recv(1)

    assert await asyncio.to_thread(wait) == b""
