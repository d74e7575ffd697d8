"""Prometheus metrics of this process besides those of HTTP requests: checks, alerts, streams, the ledger, heads."""

from collections.abc import Iterator

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

from app.access.admission.quotas import Quotas
from app.alerting.alerts.tail import Tail
from app.alerting.streams.hub import Hub
from app.border.breadth.service import Travellers
from app.border.checks.service import CheckService
from app.sync.heads.watch import HeadWatch
from app.sync.webhooks.dispatcher import Dispatcher
from app.sync.webhooks.domain import Ending
from app.web.connections import Connections
from app.web.metrics import Metrics


class RuntimeGauges(Collector):
    """A Prometheus collector of the figures of streams, checks and the ledger, read at each scrape."""

    def __init__(
        self, hub: Hub, tail: Tail, check_service: CheckService, quotas: Quotas, travellers: Travellers
    ) -> None:
        self._runtime = tail.runtime
        self._travellers = travellers
        self._hub = hub
        self._tail = tail
        self._desk = check_service
        self._quotas = quotas

    def collect(self) -> Iterator[CounterMetricFamily | GaugeMetricFamily]:
        """Yield the current values of the metrics."""
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
        back = "1 while writes are refused, because the register was rolled back."
        yield GaugeMetricFamily("cekal_register_rolled_back", back, int(self._runtime.rollback is not None))
        faulty = "1 while the file of the highest signed head can't be used or written."
        yield GaugeMetricFamily("cekal_mark_faulty", faulty, int(self._runtime.keeper.fault is not None))
        checks = CounterMetricFamily("cekal_checks", "Checks answered, by outcome.", labels=["outcome"])
        for outcome, answered in self._desk.answered.items():
            checks.add_metric([outcome], answered)
        yield checks
        joined = "Checks above their quota of hits, which joined an open hit of their document."
        yield CounterMetricFamily("cekal_hits_joined", joined, self._desk.joining.joined)
        yield from self._broad()
        yield from self._shares()

    def _broad(self) -> Iterator[CounterMetricFamily | GaugeMetricFamily]:
        sample = self._travellers.sample
        held = "Travellers of the last 30 days that are held here to count those that an entry would have stopped."
        yield GaugeMetricFamily("cekal_breadth_travellers", held, sample.travellers)
        yield GaugeMetricFamily("cekal_breadth_share", "The share of all that these are.", sample.share)
        counted = CounterMetricFamily(
            "cekal_breadth_counted",
            "Entries and corrections whose breadth was counted, previews too.",
            labels=["broad"],
        )
        for broad, number in self._travellers.counted.items():
            counted.add_metric([str(broad).lower()], number)
        yield counted

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


class FeedGauges(Collector):
    """A Prometheus collector of the feed's streams, and of the ages of signed heads and cosignatures."""

    def __init__(self, hub: Hub, watch: HeadWatch) -> None:
        self._hub = hub
        self._watch = watch

    def collect(self) -> Iterator[CounterMetricFamily | GaugeMetricFamily]:
        """Yield the current values of the metrics."""
        opened = "Streams of the feed open here, answers in lines included."
        yield GaugeMetricFamily("cekal_feed_streams_open", opened, len(self._hub.streams))
        evicted = "Streams of the feed closed because they took nothing."
        yield CounterMetricFamily("cekal_feed_streams_evicted", evicted, self._hub.evicted)
        signed = "Seconds since the newest head was signed; infinite before the first."
        head = GaugeMetricFamily("cekal_head_age_seconds", signed)
        if (age := self._watch.head_age()) is not None:
            head.add_metric([], age)
        yield head
        cosigned = "Seconds since each witness cosigned a head; infinite before its first cosignature."
        witnesses = GaugeMetricFamily("cekal_witness_lag_seconds", cosigned, labels=["witness"])
        for url, lag in self._watch.cosignature_ages():
            witnesses.add_metric([url], lag)
        yield witnesses


class WebhookGauges(Collector):
    """A Prometheus collector of deliveries to webhooks: outcomes of this process, and the register's queue."""

    def __init__(self, dispatcher: Dispatcher) -> None:
        self._dispatcher = dispatcher

    def collect(self) -> Iterator[CounterMetricFamily | GaugeMetricFamily]:
        """Yield the current values of the metrics."""
        figures = self._dispatcher.figures
        outcomes = CounterMetricFamily(
            "cekal_webhook_deliveries",
            "Attempts of webhooks that ended here, by outcome.",
            labels=["outcome"],
        )
        for outcome in Ending:
            outcomes.add_metric([outcome], figures.outcomes[outcome])
        yield outcomes
        depth = GaugeMetricFamily(
            "cekal_webhook_due", "Deliveries that are due, by priority.", labels=["priority"]
        )
        flying = GaugeMetricFamily(
            "cekal_webhook_in_flight",
            "Requests to endpoints under way here, by priority.",
            labels=["priority"],
        )
        for priority, number in figures.depths.items():
            depth.add_metric([priority], number)
        for priority, number in self._dispatcher.in_flight.items():
            flying.add_metric([priority], number)
        yield from (depth, flying)
        oldest = "Seconds for which the oldest of them has been due."
        age = 0.0
        if figures.oldest_due is not None:
            age = max(0.0, (self._dispatcher.runtime.clock() - figures.oldest_due).total_seconds())
        yield GaugeMetricFamily("cekal_webhook_oldest_due_seconds", oldest, age)
        broken = "Endpoints whose breaker is open: they have failed five times in a row or more."
        yield GaugeMetricFamily("cekal_webhook_breakers_open", broken, figures.broken)


class ConnectionGauges(Collector):
    """A Prometheus collector of the figures of the process's connections, read at each scrape."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections

    def collect(self) -> Iterator[CounterMetricFamily | GaugeMetricFamily]:
        """Yield the current values of the metrics."""
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
    """Register the metrics of this process's connections."""
    metrics.registry.register(ConnectionGauges(connections))


def measure_feed(metrics: Metrics, hub: Hub, watch: HeadWatch) -> None:
    """Register the metrics of the feed's streams, signed heads and witnesses."""
    metrics.registry.register(FeedGauges(hub, watch))


def measure_webhooks(metrics: Metrics, dispatcher: Dispatcher) -> None:
    """Register the metrics of deliveries to webhooks."""
    metrics.registry.register(WebhookGauges(dispatcher))


def measure(
    metrics: Metrics,
    hub: Hub,
    tail: Tail,
    check_service: CheckService,
    quotas: Quotas,
    travellers: Travellers,
) -> None:
    """Register the metrics of the runtime, and the time from an alert's commit to its delivery to the streams."""
    metrics.registry.register(RuntimeGauges(hub, tail, check_service, quotas, travellers))
    published = metrics.histogram(
        "cekal_alert_publish_seconds", "Seconds from an alert's issue to its leaving for the streams here."
    )
    tail.published = published.observe
