"""Metrics count by template, each application for itself."""

import asyncio

import httpx2

from app.web.metrics import Metrics


async def test_requests_are_counted_by_route_and_status(client: httpx2.AsyncClient, metrics: Metrics):
    for path in ("/v1/entries/1", "/v1/entries/2", "/v1/entries/x", "/nowhere/1", "/nowhere/2"):
        await client.get(path)
    await asyncio.sleep(0)

    def counted(route: str, status: str) -> float | None:
        labels = {"method": "GET", "route": route, "status": status}
        return metrics.registry.get_sample_value("cekal_http_requests_total", labels)

    assert counted("/v1/entries/{entry_id}", "200") == 2
    assert counted("/v1/entries/{entry_id}", "422") == 1
    assert counted("(unmatched)", "404") == 2
    labels = {"method": "GET", "route": "/v1/entries/{entry_id}", "status_class": "2xx"}
    assert metrics.registry.get_sample_value("cekal_http_request_seconds_count", labels) == 2


def test_invented_methods_share_one_series():
    metrics = Metrics()
    for number in range(50):
        metrics.answered(f"M{number}", "/x", 405, 0.1)
    labels = {"method": "other", "route": "/x", "status": "405"}
    assert metrics.registry.get_sample_value("cekal_http_requests_total", labels) == 50
    assert metrics._children == {}


def test_applications_do_not_share_a_registry():
    one, other = Metrics(), Metrics()
    one.counter("cekal_streams_total", "Streams.").inc(4)
    other.counter("cekal_alerts_total", "Alerts raised.", ["kind"]).labels("raise").inc()
    body, content_type = one.exposition()
    assert content_type.startswith("text/plain")
    assert b"cekal_streams_total 4.0" in body
    assert b"cekal_alerts" not in body
    assert b'cekal_alerts_total{kind="raise"} 1.0' in other.exposition()[0]


def test_a_histogram_may_have_buckets_of_its_own():
    metrics = Metrics()
    metrics.histogram("cekal_batch_size", "Checks answered together.", buckets=(1, 8, 64)).observe(9)
    assert b'cekal_batch_size_bucket{le="64.0"} 1.0' in metrics.exposition()[0]
