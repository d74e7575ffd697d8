"""A proxy between a client and a service that alters answers, as a service with a fault would give them.

Answers come uncompressed, so that they can be altered.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import httpx2

from tests.support.cli import LONGEST

EVENTS = "text/event-stream"
_HOP = {"transfer-encoding", "connection", "content-length", "keep-alive"}


@dataclass
class Answer:
    """An answer on its way; of a stream of events each line is altered by itself.

    Attributes:
        path: the path that was asked for.
        asked: the query parameters.
        sent: the request's header fields, with names in small letters.
        status: the status.
        headers: the header fields.
        body: the content, or a line of it.
    """

    path: str
    asked: dict[str, list[str]]
    sent: dict[str, str]
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def kind(self) -> str:
        """The media type."""
        return self.headers.get("content-type", "").partition(";")[0]


Alter = Callable[[Answer], None]


@contextmanager
def altering(target: str, alter: Alter) -> Iterator[str]:
    """A proxy before a service for the block's length; gives its address."""
    http = httpx2.Client(base_url=target, timeout=LONGEST)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            sent = {name.lower(): value for name, value in self.headers.items()}
            url = urlsplit(self.path)
            plain = {**sent, "accept-encoding": "identity"}
            with http.stream(self.command, self.path, headers=plain) as came:
                headers = {name: value for name, value in came.headers.items() if name not in _HOP}
                asked = parse_qs(url.query)
                answer = Answer(url.path, asked, sent, came.status_code, headers, b"")
                if answer.kind == EVENTS and self.command == "GET":
                    self._begin(answer)
                    with suppress(OSError, httpx2.HTTPError):  # the client goes, or the test ends
                        for line in _lines(came.iter_raw()):
                            answer.body = line
                            alter(answer)
                            self.wfile.write(answer.body)
                    return
                answer.body = b"".join(came.iter_raw())
                alter(answer)
                self._begin(answer)
                self.wfile.write(answer.body)

        do_HEAD = do_GET  # noqa: N815 - the library's name

        def _begin(self, answer: Answer) -> None:
            self.send_response_only(answer.status)
            for name, value in answer.headers.items():
                self.send_header(name, value)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.block_on_close = False
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        http.close()


def _lines(chunks: Iterator[bytes]) -> Iterator[bytes]:
    rest = b""
    for chunk in chunks:
        *lines, rest = (rest + chunk).split(b"\n")
        yield from (line + b"\n" for line in lines)
