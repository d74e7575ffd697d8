"""Traces of the way of alerts, by OpenTelemetry; its packages are loaded only where `CEKAL_TRACE_ENDPOINT` is set.

The id of an alert's trace is the number in the alert's own id, which has the 128 bits of a trace's. So every process
knows the trace of every alert, and nothing is stored or handed on for it. Spans hold ids, codes and times, and nothing
about persons.
"""

import threading
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from time import time_ns
from typing import Any, Final

from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.id_generator import RandomIdGenerator
from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags, set_span_in_context

from app import __version__
from app.db.unit import Unit
from app.kit.ids import number_of
from app.kit.logs import correlation

_EXPORT_SECONDS: Final = 2.0
_CLOSE_SECONDS: Final = 1.0
_LONGEST_QUEUE: Final = 16_384
"""Spans that wait for their export; an alert has one for the receipt of each checkpoint. Further ones are dropped."""

_SPAN_BITS: Final = (1 << 64) - 1

Attributes = dict[str, str | int]


@dataclass(slots=True)
class _Request:
    """A request of a client that is being answered.

    Attributes:
        begun: when it began, in nanoseconds since 1970.
        attributes: the attributes of its span.
        alerts: ids of the alerts that it has issued.
    """

    begun: int
    attributes: Attributes
    alerts: list[str] = field(default_factory=list)


_request: ContextVar[_Request | None] = ContextVar("traced_request", default=None)


class _Ids(RandomIdGenerator):
    """Generates random ids, but for the root span of an alert's trace."""

    def __init__(self) -> None:
        self.root: int | None = None

    def generate_trace_id(self) -> int:
        return super().generate_trace_id() if self.root is None else self.root

    def generate_span_id(self) -> int:
        return super().generate_span_id() if self.root is None else _root_span(self.root)


def _root_span(trace: int) -> int:
    return trace & _SPAN_BITS or 1


class AlertTraces:
    """Makes OpenTelemetry spans that show where the time of each alert goes; each alert has one trace.

    The spans are `request` (issues the alert), `transaction`, `commit`, `read` (from the ledger), `publish` (to the
    streams) and `receipt`. The root is `request`, or `transaction` if the service issues the alert without a request.

    Args:
        processor: receives each span when it has ended, to export it.
    """

    def __init__(self, processor: SpanProcessor) -> None:
        self._ids = _Ids()
        resource = Resource.create({"service.name": "cekal", "service.version": __version__})
        self._provider = TracerProvider(resource=resource, id_generator=self._ids, shutdown_on_exit=False)
        self._provider.add_span_processor(processor)
        self._tracer = self._provider.get_tracer("cekal", __version__)

    def begin_request(self, scope: Mapping[str, Any]) -> None:
        """Begin to trace a request; at its end, each alert that it has issued gets a span `request`.

        Args:
            scope: the request's ASGI scope.
        """
        attributes: Attributes = {"http.request.method": scope["method"], "url.path": scope["path"]}
        if (ids := correlation.get()) is not None:
            attributes["cekal.request_id"] = ids.request_id
        request = _Request(time_ns(), attributes)
        _request.set(request)
        scope["state"].setdefault("at_end", []).append(lambda: self._end_request(request))

    def _end_request(self, request: _Request) -> None:
        _request.set(None)
        for alert_id in request.alerts:
            self._record(alert_id, "request", request.begun, time_ns(), request.attributes, root=True)

    @asynccontextmanager
    async def transaction(self, opened: AbstractAsyncContextManager[Unit]) -> AsyncIterator[Unit]:
        """Open a transaction and yield its unit; after the commit, make the spans of each alert issued in it.

        Args:
            opened: the context manager that opens the transaction.
        """
        begun = time_ns()
        alerts: list[str] = []
        async with opened as unit:
            append = unit.follow.append

            async def noting(unit: Unit, drafts: Sequence[Any]) -> Sequence[Any]:
                records = await append(unit, drafts)
                alerts.extend(record.alert_id for record in records if record.alert_id)
                return records

            unit.follow = replace(unit.follow, append=noting)
            yield unit
            concluded = time_ns()
        committed = time_ns()
        request = _request.get()
        for alert_id in alerts:
            self._record(alert_id, "transaction", begun, concluded, root=request is None)
            self._record(alert_id, "commit", concluded, committed)
        if request is not None:
            request.alerts += alerts

    def confirm(self, alert_id: str, **attributes: str | int) -> None:
        """Make a span `receipt`, from the beginning of the present request until now, in the trace of an alert.

        Call it in the request by which a checkpoint confirms the alert, after the commit of its receipt. Does nothing
        if `begin_request` was not called in this request.

        Args:
            alert_id: the alert.
            attributes: attributes of the span, without their prefix `cekal.`.
        """
        if (request := _request.get()) is not None:
            self._record(alert_id, "receipt", request.begun, time_ns(), _prefixed(attributes))

    def publish(self, alert_ids: Sequence[str], since: int, read_at: int, **attributes: str | int) -> None:
        """Make spans `read` and `publish` for alerts that were just handed to the streams of this process.

        Args:
            alert_ids: the alerts.
            since: when the reading of the ledger began, in nanoseconds since 1970.
            read_at: when the reading ended, in nanoseconds since 1970.
            attributes: attributes of the spans, without their prefix `cekal.`.
        """
        named = _prefixed(attributes)
        for alert_id in alert_ids:
            self._record(alert_id, "read", since, read_at, named)
            self._record(alert_id, "publish", read_at, time_ns(), named)

    def _record(
        self,
        alert_id: str,
        name: str,
        begun: int,
        ended: int,
        attributes: Attributes | None = None,
        *,
        root: bool = False,
    ) -> None:
        """Make a span that has ended."""
        trace = number_of(alert_id)
        if root:
            context = Context()
            self._ids.root = trace
        else:
            flags = TraceFlags(TraceFlags.SAMPLED)
            parent = SpanContext(trace, _root_span(trace), is_remote=True, trace_flags=flags)
            context = set_span_in_context(NonRecordingSpan(parent), Context())
        try:
            named = {"cekal.alert_id": alert_id, **(attributes or {})}
            self._tracer.start_span(name, context, attributes=named, start_time=begun).end(ended)
        finally:
            self._ids.root = None

    def close(self) -> None:
        """Export the remaining spans, for at most a second: an exporter that does not answer must not delay the end."""
        closing = threading.Thread(target=self._provider.shutdown, daemon=True)
        closing.start()
        closing.join(_CLOSE_SECONDS)


def _prefixed(attributes: Mapping[str, str | int]) -> Attributes:
    return {f"cekal.{name}": value for name, value in attributes.items()}


def export_traces(endpoint: str) -> AlertTraces:
    """Return traces that a thread exports in batches to the OTLP receiver at the URL `endpoint`.

    Further options of the exporter (headers, ...) are read from the environment variables `OTEL_EXPORTER_OTLP_…`.
    """
    exporter = OTLPSpanExporter(endpoint, timeout=_EXPORT_SECONDS)
    return AlertTraces(BatchSpanProcessor(exporter, max_queue_size=_LONGEST_QUEUE))
