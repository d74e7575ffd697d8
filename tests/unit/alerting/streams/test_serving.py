"""What a stream's writer makes of what was queued: each once, and heartbeats with the cursor behind it."""

from typing import Any

from app.access.domain import Kind
from app.actor import Actor
from app.alerting.streams.hub import Heartbeat, Hub, Stream
from app.alerting.streams.serving import Begun, Feed, _pump, _Sent
from app.ledger.domain import Head

BEAT = b"event: heartbeat\n\n"
END = Head("epoch", 0, 0)


async def written(fill: Any, position: int = 0) -> list[bytes]:
    """What is written of what `fill` queues, on a stream that was sent everything up to a position."""
    hub = Hub(queue=32, limit=1, heartbeat_seconds=1, stream_minutes=1)
    stream = hub.join(Actor(client_id="cli_1", person=None, roles=frozenset(), kind=Kind.COUNTER))
    fill(stream, hub)
    stream.close("renew")
    sent: list[bytes] = []

    async def send(message: Any) -> None:
        sent.append(message["body"])

    async def begin(*_: Any) -> Begun:
        raise AssertionError("what was missed was sent before")

    feed = Feed(hub, frozenset(), begin, lambda: Heartbeat(position, BEAT))
    await _pump(stream, send, feed, _Sent(position, END, None))
    return sent[:-1]


async def test_a_heartbeat_has_the_cursor_behind_all_that_was_published_before() -> None:
    def fill(stream: Stream, hub: Hub) -> None:
        hub.publish(4, b"4")
        hub.tick(stream.beat_at, lambda: Heartbeat(6, BEAT))

    assert await written(fill) == [b"4", b"id: epoch.6\n" + BEAT]


async def test_a_heartbeat_of_a_follower_that_lags_leads_no_reader_back() -> None:
    def fill(stream: Stream, hub: Hub) -> None:
        hub.publish(8, b"8")
        hub.publish(9, b"9")
        hub.tick(stream.beat_at, lambda: Heartbeat(3, BEAT))

    assert await written(fill, position=8) == [b"9", b"id: epoch.9\n" + BEAT]


async def test_a_heartbeat_leads_no_reader_past_what_is_queued_behind_it() -> None:
    def fill(stream: Stream, hub: Hub) -> None:
        hub.tick(stream.beat_at, lambda: Heartbeat(3, BEAT))
        hub.publish(4, b"4")

    assert await written(fill) == [b"id: epoch.3\n" + BEAT, b"4"]
