"""Prometheus metrics of this process besides those of HTTP requests: checks, alerts, streams, the ledger, heads."""

from collections.abc import Iterator, Mapping

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

from app.access.admission.quotas import Quotas
from app.alerting.alerts.arrivals import Transport
from app.alerting.alerts.tail import Tail
from app.alerting.escalation.rounds import Escalation
from app.alerting.streams.hub import Hub
from app.border.breadth.service import Travellers
from app.border.checks.batcher import Batcher
from app.border.checks.service import CheckService
from app.db.lanes import Lane
from app.kit.memory import resident_bytes
from app.runtime import Runtime
from app.sync.heads.watch import HeadWatch
from app.sync.webhooks.dispatcher import Dispatcher
from app.sync.webhooks.domain import Ending
from app.web.connections import Connections
from app.web.metrics import Metrics

_RECEIVED_SECONDS = (0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 3600.0)
"""Bounds of the delays of receipts: a machine's takes milliseconds, that of one that was away hours."""


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
        causes = "Readings of the ledger that found records, by what made the process read."
        readings = CounterMetricFamily("cekal_tail_readings", causes, labels=["cause"])
        for cause, number in self._tail.wakeups.found.items():
            readings.add_metric([cause], number)
        yield readings
        if not self._runtime.register.is_sqlite:
            listening = "1 while PostgreSQL's notifications are received."
            yield GaugeMetricFamily("cekal_listening", listening, int(self._tail.wakeups.listening))
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
        joined = "Checks above their quota of hits, which joined an open hit."
        yield CounterMetricFamily("cekal_hits_joined", joined, self._desk.joining.joined)
        yield from self._broad()
        yield from self._shares()

    def _broad(self) -> Iterator[CounterMetricFamily | GaugeMetricFamily]:
        sample = self._travellers.sample
        held = "Travellers of the last 30 days that are held here to count those that an entry would have stopped."
        yield GaugeMetricFamily("cekal_breadth_travellers", held, sample.size)
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


class LoadGauges(Collector):
    """A Prometheus collector of a process's load: its queues, the streams that have ended, and the streams' memory.

    Args:
        runtime: the runtime, whose databases have queues of transactions.
        batcher: the object with the queues of checks.
        hubs: the hubs of streams, by kind of stream, such as `alerts`.
    """

    def __init__(self, runtime: Runtime, batcher: Batcher, hubs: Mapping[str, Hub]) -> None:
        self._runtime = runtime
        self._batcher = batcher
        self._hubs = hubs
        self._bare = resident_bytes()

    def collect(self) -> Iterator[CounterMetricFamily | GaugeMetricFamily]:
        """Yield the current values of the metrics."""
        checks = GaugeMetricFamily(
            "cekal_checks_waiting", "Checks that wait for a batch: single ones, and rows.", labels=["kind"]
        )
        for kind, number in self._batcher.waiting().items():
            checks.add_metric([kind], number)
        ended = CounterMetricFamily(
            "cekal_streams_ended",
            "Streams that have ended, by what they streamed.",
            labels=["feed", "reason"],
        )
        for feed, hub in self._hubs.items():
            for reason, number in list(hub.ended.items()):
                ended.add_metric([feed, reason], number)
        yield from (checks, ended)
        yield from self._lanes()
        if (size := self._stream_bytes()) is not None:
            used = "Resident memory beyond that without streams, for each open stream."
            yield GaugeMetricFamily("cekal_stream_memory_bytes", used, size)

    def _lanes(self) -> Iterator[GaugeMetricFamily]:
        held = GaugeMetricFamily("cekal_database_held", "Transactions that run, by lane.", labels=["lane"])
        waiting = GaugeMetricFamily(
            "cekal_database_waiting", "Transactions that wait for a place, by lane.", labels=["lane"]
        )
        used = list(self._runtime.register.in_use())
        if self._runtime.checks is not self._runtime.register:
            used += (each._replace(lane=Lane.CHECKS) for each in self._runtime.checks.in_use())
        for lane, running, behind in used:
            held.add_metric([lane], running)
            waiting.add_metric([lane], behind)
        yield held
        yield waiting

    def _stream_bytes(self) -> float | None:
        """Return the memory for each open stream; None without streams, or where the system does not say it."""
        streams = sum(len(hub.streams) for hub in self._hubs.values())
        size = resident_bytes()
        if not streams or size is None or self._bare is None:
            self._bare = size
            return None
        return max(0, size - self._bare) / streams


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


class EscalationGauges(Collector):
    """A Prometheus collector of the pages and the watchdog's reports that this process has sent."""

    def __init__(self, escalation: Escalation) -> None:
        self._escalation = escalation

    def collect(self) -> Iterator[CounterMetricFamily]:
        """Yield the current values of the metrics."""
        pages = CounterMetricFamily(
            "cekal_pages",
            "Attempts to page people about alerts, by channel; `due` is tried again.",
            labels=["channel", "state"],
        )
        for (channel, state), number in list(self._escalation.pager.sent.items()):
            pages.add_metric([channel, state], number)
        yield pages
        reports = CounterMetricFamily(
            "cekal_watchdog_reports", "Reports that alerts are escalated.", labels=["outcome"]
        )
        reports.add_metric(["accepted"], self._escalation.watchdog.reported)
        reports.add_metric(["failed"], self._escalation.watchdog.failed)
        yield reports


def measure_escalation(metrics: Metrics, escalation: Escalation) -> None:
    """Register the metrics of the pages and the watchdog's reports that this process sends."""
    metrics.registry.register(EscalationGauges(escalation))


def measure(
    metrics: Metrics,
    hub: Hub,
    tail: Tail,
    check_service: CheckService,
    quotas: Quotas,
    travellers: Travellers,
) -> None:
    """Register the metrics of streams, checks, quotas and the ledger, and of the delays of alerts.

    The delays are those from an alert's issue to its publication to the streams, and to the first receipts; `tail`
    reports them from now on.
    """
    metrics.registry.register(RuntimeGauges(hub, tail, check_service, quotas, travellers))
    published = metrics.histogram(
        "cekal_alert_publish_seconds", "Seconds from an alert's issue to its leaving for the streams here."
    )
    tail.published = published.observe
    received = metrics.histogram(
        "cekal_alert_received_seconds",
        "Seconds from an alert's issue to the first receipt of a machine, by the channel of its key here.",
        ("channel",),
        _RECEIVED_SECONDS,
    )
    children = {channel: received.labels(channel) for channel in Transport}
    tail.arrivals.received = lambda channel, seconds: children[channel].observe(seconds)


def measure_load(metrics: Metrics, runtime: Runtime, batcher: Batcher, hubs: Mapping[str, Hub]) -> None:
    """Register the metrics of the process's queues and streams.

    `hubs` has the hub of each kind of stream, by the name of the kind, such as `alerts`.
    """
    metrics.registry.register(LoadGauges(runtime, batcher, hubs))
