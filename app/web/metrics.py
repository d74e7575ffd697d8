"""Prometheus metrics of one application, in a separate registry, so that a process can have several applications."""

from collections.abc import Sequence

from prometheus_client import CollectorRegistry, Counter, Histogram, ProcessCollector, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
"""The methods with separate series; all others share one, because callers can invent methods."""


class Metrics:
    """The metrics of one application instance.

    Attributes:
        registry: the registry of this application's metrics.
        http_requests: number of answered requests, by method, route template and status.
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
        """Register and return a new counter; `labels` are the names of its labels.

        Raises:
            ValueError: the registry has a metric with this name.
        """
        return Counter(name, documentation, labels, registry=self.registry)

    def histogram(
        self, name: str, documentation: str, labels: Sequence[str] = (), buckets: Sequence[float] = _SECONDS
    ) -> Histogram:
        """Register and return a new histogram; `labels` are the names of its labels.

        `buckets` are the upper bounds; the default ones are in seconds.

        Raises:
            ValueError: the registry has a metric with this name.
        """
        return Histogram(name, documentation, labels, registry=self.registry, buckets=buckets)

    def answered(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count one answered request.

        Args:
            method: the HTTP method.
            route: the route's template; not the path, which would create a series for each id.
            status: the status of the answer, or 0 if the client disconnected first.
            seconds: the time from the request's arrival to the answer's last byte.
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
                del self._children[key]  # callers can invent methods; they are not kept
        children[0].inc()
        children[1].observe(seconds)

    def exposition(self) -> tuple[bytes, str]:
        """Return the body and the content type of the answer to `GET /metrics`."""
        return generate_latest(self.registry), CONTENT_TYPE_LATEST
