"""Prometheus metrics of one application: a registry of its own, so that many can live in one process."""

from collections.abc import Sequence

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
"""Methods that are told apart; anybody can invent others."""


class Metrics:
    """The metrics of one application instance.

    Attributes:
        registry: where every metric of this application is registered.
        http_requests: requests answered, by method, route template and status.
        http_request_seconds: time to the answer's last byte, by method, route template and class of status.
    """

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self.http_requests = self.counter(
            "cekal_http_requests_total", "Requests answered.", ("method", "route", "status")
        )
        self.http_request_seconds = self.histogram(
            "cekal_http_request_seconds",
            "Seconds from a request's arrival to its answer's last byte.",
            ("method", "route", "status_class"),
        )
        self._children: dict[tuple[str, str, int], tuple[Counter, Histogram]] = {}

    def counter(self, name: str, documentation: str, labels: Sequence[str] = ()) -> Counter:
        """A further counter."""
        return Counter(name, documentation, labels, registry=self.registry)

    def gauge(self, name: str, documentation: str, labels: Sequence[str] = ()) -> Gauge:
        """A further gauge."""
        return Gauge(name, documentation, labels, registry=self.registry)

    def histogram(
        self, name: str, documentation: str, labels: Sequence[str] = (), buckets: Sequence[float] = _SECONDS
    ) -> Histogram:
        """A further histogram; the buckets' bounds are seconds unless given."""
        return Histogram(name, documentation, labels, registry=self.registry, buckets=buckets)

    def answered(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count one answered request.

        Args:
            method: the HTTP method.
            route: the route's template; never a path, which would make a series of each id.
            status: the status answered, 0 if the client left before.
            seconds: how long it took.
        """
        key = (method, route, status)
        children = self._children.get(key)
        if children is None:
            known = method if method in METHODS else "other"
            children = self._children[key] = (
                self.http_requests.labels(known, route, str(status)),
                self.http_request_seconds.labels(known, route, f"{status // 100}xx"),
            )
            if known == "other":
                del self._children[key]  # anybody can invent methods; none of them is remembered
        children[0].inc()
        children[1].observe(seconds)

    def exposition(self) -> tuple[bytes, str]:
        """What `GET /metrics` answers: the body, and its content type."""
        return generate_latest(self.registry), CONTENT_TYPE_LATEST
