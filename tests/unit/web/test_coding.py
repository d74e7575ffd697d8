"""Compression: who gets it, of what, with which tag, and what it never touches."""

import gzip
import random
from collections.abc import Sequence
from typing import Any

import pytest

from app.web.coding import SMALLEST, Coding, accepts_gzip, compressed

Header = tuple[bytes, bytes]

LONG = b'{"items": [' + b'"the same again",' * 200 + b"1]}"
JSON = (b"content-type", b"application/json")
TAG = (b"etag", b'"1-0123456789ab"')
GZIPPED = b'"1-0123456789ab-gzip"'
ASKS = (b"accept-encoding", b"br, gzip")


async def answered(
    asked: Sequence[Header],
    *headers: Header,
    status: int = 200,
    body: Sequence[bytes] = (LONG,),
    coding: Coding | None = None,
    state: dict[str, Any] | None = None,
) -> tuple[list[Header], dict[bytes, bytes], bytes]:
    """What an application saw of a request's headers, and the headers and body that left."""
    scope = {"path": "/it", "headers": list(asked), "state": state or {}}
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    inner, send_on = (coding or Coding()).applied(scope, send)
    await send_on({"type": "http.response.start", "status": status, "headers": [JSON, *headers]})
    for position, part in enumerate(body, 1):
        await send_on({"type": "http.response.body", "body": part, "more_body": position < len(body)})
    return inner["headers"], dict(sent[0]["headers"]), b"".join(each["body"] for each in sent[1:])


@pytest.mark.parametrize(
    ("said", "accepted"),
    [
        ("gzip", True),
        ("GZIP", True),
        ("x-gzip", True),
        ("deflate, gzip;q=0.5", True),
        ("*", True),
        ("br;q=1.0, *;q=0.1", True),
        ("", False),
        ("identity", False),
        ("gzip;q=0", False),
        ("gzip;q=0.000, *", False),
        ("*;q=0", False),
        ("br", False),
        ("gzip;q=high", False),
    ],
)
def test_what_accepts_gzip(said: str, *, accepted: bool) -> None:
    assert accepts_gzip(said) is accepted


async def test_an_answer_is_compressed_with_a_tag_of_its_own() -> None:
    length = (b"content-length", b"%d" % len(LONG))
    _, headers, body = await answered([ASKS], TAG, length, (b"accept-ranges", b"bytes"))
    assert gzip.decompress(body) == LONG
    assert headers[b"content-encoding"] == b"gzip"
    assert headers[b"content-length"] == b"%d" % len(body)
    assert headers[b"etag"] == GZIPPED
    assert headers[b"vary"] == b"accept-encoding"
    assert b"accept-ranges" not in headers


@pytest.mark.parametrize("asked", [[], [(b"accept-encoding", b"identity")]])
async def test_who_does_not_accept_it_gets_the_answer_as_it_is_and_caches_are_told(
    asked: list[Header],
) -> None:
    _, headers, body = await answered(asked, TAG)
    assert (body, headers[b"etag"], headers[b"vary"]) == (LONG, TAG[1], b"accept-encoding")
    assert b"content-encoding" not in headers


@pytest.mark.parametrize(
    "given",
    [
        {"body": [b"x" * (SMALLEST - 1)]},
        {"body": [LONG, LONG]},
        {"status": 404},
        {"status": 206},
        {"state": {"secret": True}},
    ],
    ids=["small", "piece by piece", "a problem", "a part", "a secret"],
)
async def test_what_is_never_compressed(given: dict[str, Any]) -> None:
    _, headers, body = await answered([ASKS], **given)
    assert b"content-encoding" not in headers
    assert body == b"".join(given.get("body", [LONG]))


@pytest.mark.parametrize(
    "media", [b"text/event-stream; charset=utf-8", b"image/jpeg", b"application/zip", b"application/pdf"]
)
async def test_what_is_no_text_or_no_end_passes_at_once(media: bytes) -> None:
    _, headers, body = await answered([ASKS], (b"content-type", media))
    assert (body, b"content-encoding" in headers, b"vary" in headers) == (LONG, False, False)


async def test_a_tag_of_a_compressed_answer_is_understood_and_given_back() -> None:
    held = (b"if-none-match", GZIPPED)
    seen, headers, _ = await answered([ASKS, held], TAG, status=304, body=[b""])
    assert (b"if-none-match", TAG[1]) in seen
    assert (headers[b"etag"], headers[b"vary"]) == (GZIPPED, b"accept-encoding")
    seen, headers, _ = await answered([ASKS, (b"if-none-match", TAG[1])], TAG, status=304, body=[b""])
    assert headers[b"etag"] == TAG[1]


async def test_who_no_longer_accepts_gzip_holds_nothing_of_use() -> None:
    seen, _, _ = await answered([(b"if-none-match", GZIPPED)], TAG)
    assert (b"if-none-match", GZIPPED) in seen


async def test_what_anybody_may_see_is_compressed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    made = []

    def counted(body: bytes) -> bytes:
        made.append(body)
        return compressed(body)

    monkeypatch.setattr("app.web.coding.compressed", counted)
    coding, public = Coding(), (b"cache-control", b"public, max-age=60")
    first = [await answered([ASKS], TAG, public, coding=coding) for _ in range(3)]
    assert len(made) == 1
    assert len({body for _, _, body in first}) == 1
    for number in range(20):
        await answered([ASKS], (b"etag", b'"%d-0123456789ab"' % number), public, coding=coding)
    assert len(coding._kept) < 20
    before = len(made)
    for _ in range(3):
        await answered([ASKS], TAG, (b"cache-control", b"no-store"), coding=coding)
    assert len(made) == before + 3


def test_padding_hides_small_differences_and_repeats_nothing() -> None:
    chance = random.Random(1)
    texts = [chance.randbytes(400).hex().encode() for _ in range(40)]
    assert all(gzip.decompress(compressed(text)) == text for text in texts)
    assert all(len(compressed(text)) == len(compressed(text)) for text in texts)
    lengths = {len(compressed(text)) - len(gzip.compress(text, 5)) for text in texts}
    assert len(lengths) > 10
