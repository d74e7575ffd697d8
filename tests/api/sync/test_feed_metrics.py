"""The metrics of the feed's streams, of signed heads and of witnesses."""

from datetime import timedelta

from fastapi import FastAPI

from app.access.domain import SYSTEM
from app.gauges import measure_feed
from app.runtime import Runtime
from app.sync.heads.watch import HeadWatch
from app.sync.witnesses import store
from app.sync.witnesses.domain import WitnessState
from app.tlog.keys import KeyKind, SigningKey
from app.tlog.policy import Policy
from app.web.metrics import Metrics
from app.worker import Worker
from tests.support.clock import MORNING, SettableClock


def samples(metrics: Metrics) -> dict[str, float]:
    """Each metric that is no comment, with its labels."""
    lines = metrics.exposition()[0].decode().splitlines()
    return {name: float(value) for name, value in (each.rsplit(" ", 1) for each in lines if each[0] != "#")}


async def test_ages_of_heads_and_cosignatures_grow_until_the_next_one(
    app: FastAPI, worker: Worker, runtime: Runtime, clock: SettableClock
) -> None:
    keys = [SigningKey.generate(KeyKind.TIMED_ED25519).verifier(name) for name in ("a.example", "b.example")]
    text = "".join(f"witness {key.name} {key} https://{key.name}/\n" for key in keys) + "quorum none\n"
    policy = Policy.parse(text.encode())
    feed, watch, metrics = app.state.process.feed_tail.hub, HeadWatch(runtime), Metrics()
    measure_feed(metrics, feed, watch)
    assert "cekal_head_age_seconds" not in samples(metrics), "nothing was read yet"
    await watch.look(policy)
    assert samples(metrics)["cekal_head_age_seconds"] == float("inf")

    await worker.sign_head()
    async with runtime.writing(SYSTEM) as unit:
        at = MORNING - timedelta(seconds=100)
        await store.save_state(unit, WitnessState("https://a.example", "e", 1, at, at))
    await watch.look(policy)
    clock.advance(seconds=30)
    found = samples(metrics)
    assert found["cekal_head_age_seconds"] == 30
    assert found['cekal_witness_lag_seconds{witness="https://a.example"}'] == 130
    assert found['cekal_witness_lag_seconds{witness="https://b.example"}'] == float("inf")
    clock.advance(seconds=-60)  # a clock that was put back
    assert samples(metrics)["cekal_head_age_seconds"] == 0

    stream = feed.join(SYSTEM)
    feed.evicted = 2
    found = samples(metrics)
    assert (found["cekal_feed_streams_open"], found["cekal_feed_streams_evicted_total"]) == (1, 2)
    feed.leave(stream)
    assert samples(metrics)["cekal_feed_streams_open"] == 0
