"""What this process tells Prometheus beside its HTTP requests: checks, alerts, streams, the ledger."""

from collections.abc import Iterator

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

from app.access.quotas import Quotas
from app.alerts.hub import Hub
from app.alerts.tail import Tail
from app.checks.service import Desk
from app.web.connections import Connections
from app.web.metrics import Metrics


class Measures(Collector):
    """Reads the figures off the parts that have them, whenever they are asked for."""

    def __init__(self, hub: Hub, tail: Tail, desk: Desk, quotas: Quotas) -> None:
        self._runtime = tail.runtime
        self._hub = hub
        self._tail = tail
        self._desk = desk
        self._quotas = quotas

    def collect(self) -> Iterator[CounterMetricFamily | GaugeMetricFamily]:
        """The figures of this moment."""
        yield GaugeMetricFamily("cekal_streams_open", "Alert streams open here.", len(self._hub.streams))
        yield CounterMetricFamily(
            "cekal_streams_evicted", "Alert streams closed because they took nothing.", self._hub.evicted
        )
        size = self._tail.head.size if self._tail.head else 0
        yield GaugeMetricFamily("cekal_ledger_size", "Ledger records that this process has seen.", size)
        age = "Seconds since this process last read the ledger to its end."
        yield GaugeMetricFamily("cekal_tail_age_seconds", age, self._tail.age if self._tail.head else 0)
        doubted = "1 while ends by law and erasures are held back, because the clock is not plausible."
        yield GaugeMetricFamily("cekal_clock_doubted", doubted, int(self._runtime.doubt() is not None))
        checks = CounterMetricFamily("cekal_checks", "Checks answered, by outcome.", labels=["outcome"])
        for outcome, answered in self._desk.answered.items():
            checks.add_metric([outcome], answered)
        yield checks
        joined = "Checks above their quota of hits, which joined an open hit of their document."
        yield CounterMetricFamily("cekal_hits_joined", joined, self._desk.joining.joined)
        yield from self._shares()

    def _shares(self) -> Iterator[CounterMetricFamily | GaugeMetricFamily]:
        held = GaugeMetricFamily("cekal_quota_held", "Requests under way, by quota.", labels=["quota"])
        waiting = GaugeMetricFamily(
            "cekal_quota_waiting", "Requests that wait for their key's turn, by quota.", labels=["quota"]
        )
        refused = CounterMetricFamily(
            "cekal_quota_refused",
            "Requests refused because their key had taken all, by quota.",
            labels=["quota"],
        )
        for quota, under_way, behind in self._quotas.in_use():
            held.add_metric([quota], under_way)
            waiting.add_metric([quota], behind)
        for quota, number in self._quotas.refused.items():
            refused.add_metric([quota], number)
        yield from (held, waiting, refused)


class ConnectionMeasures(Collector):
    """Reads the figures off the process's connections."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections

    def collect(self) -> Iterator[CounterMetricFamily | GaugeMetricFamily]:
        """The figures of this moment."""
        yield GaugeMetricFamily("cekal_connections_open", "Connections open here.", len(self._connections))
        strangers = "Connections open here on which no valid key was seen."
        yield GaugeMetricFamily("cekal_connections_without_key", strangers, self._connections.strangers)
        cut = CounterMetricFamily(
            "cekal_connections_cut", "Connections refused or ended before their time.", labels=["reason"]
        )
        for reason, number in list(self._connections.cut.items()):
            cut.add_metric([reason], number)
        yield cut


def measure_connections(metrics: Metrics, connections: Connections) -> None:
    """Register the figures of this process's connections."""
    metrics.registry.register(ConnectionMeasures(connections))


def measure(metrics: Metrics, hub: Hub, tail: Tail, desk: Desk, quotas: Quotas) -> None:
    """Register the figures, and the time from an alert's commit to its leaving for the streams here."""
    metrics.registry.register(Measures(hub, tail, desk, quotas))
    published = metrics.histogram(
        "cekal_alert_publish_seconds", "Seconds from an alert's issue to its leaving for the streams here."
    )
    tail.published = published.observe
