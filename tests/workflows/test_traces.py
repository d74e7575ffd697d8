"""The trace of an alert: from its request through every process to the receipts, joined by the alert's own id."""

import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from app.access.domain import SYSTEM
from app.alerting.alerts.service import drill
from app.kit.ids import number_of
from app.runtime import Runtime
from app.settings import Settings
from app.web.traces import AlertTraces
from tests.support.actors import Actors
from tests.support.bodies import urgent_body
from tests.support.cli import ROOT, environment
from tests.support.processes import process
from tests.support.served import Served
from tests.support.sse import listening
from tests.support.steps import expect, sound
from tests.support.waiting import until


@contextmanager
def traced(runtime: Runtime) -> Iterator[InMemorySpanExporter]:
    """Traces of a process that stay in memory, for the block's length."""
    exporter = InMemorySpanExporter()
    runtime.traces = AlertTraces(SimpleSpanProcessor(exporter))
    yield exporter
    runtime.traces = None


def roots(spans: list[ReadableSpan]) -> list[str]:
    return [span.name for span in spans if span.parent is None]


async def test_spans_of_an_alert_are_joined_by_its_id_and_follow_each_other(
    served: Served, actors: Actors
) -> None:
    counter, owner = await actors.client("checkpoint"), await actors.client("submitter")
    with traced(served.app.state.process.runtime) as exporter:
        async with listening(served.http, counter.headers) as stream:
            await stream.next("heartbeat")
            alert_id = (await sound(served.http, owner))["alert"]["id"]
            await stream.next("alert")
            path = f"/v1/alerts/{alert_id}/receipts"
            for status in (201, 200):
                answer = await served.http.post(path, json={"level": "received"}, headers=counter.headers)
                expect(answer, status)
        await until(lambda: len(exporter.get_finished_spans()) >= 6)
        spans = {span.name: span for span in exporter.get_finished_spans()}
        assert len(exporter.get_finished_spans()) == 6, "a repeated receipt is no new one"
    assert {span.context.trace_id for span in spans.values()} == {number_of(alert_id)}
    assert {span.attributes["cekal.alert_id"] for span in spans.values()} == {alert_id}
    assert roots(list(spans.values())) == ["request"]
    root = spans.pop("request")
    assert {span.parent.span_id for span in spans.values()} == {root.context.span_id}
    assert root.attributes["url.path"] == "/v1/urgent-entries"
    assert spans["receipt"].attributes["cekal.checkpoint"] == counter.checkpoint
    assert spans["publish"].attributes["cekal.streams"] == 1
    transaction, commit = spans["transaction"], spans["commit"]
    assert root.start_time <= transaction.start_time
    assert transaction.end_time == commit.start_time
    # PostgreSQL lets other connections read a commit before it answers the one that commits: "read" may end first.
    assert transaction.end_time <= spans["read"].end_time
    way = [spans[name].end_time for name in ("read", "publish", "receipt")]
    assert way == sorted(way)
    assert all(span.start_time <= span.end_time for span in spans.values())


async def test_nothing_about_the_person_is_in_a_span(served: Served, actors: Actors) -> None:
    person = urgent_body()["subject"]
    with traced(served.app.state.process.runtime) as exporter:
        await sound(served.http, await actors.client("submitter"))
        await until(lambda: len(exporter.get_finished_spans()) >= 5)
        text = "".join(span.to_json() for span in exporter.get_finished_spans())
    assert person["full_name"] not in text
    assert person["documents"][0]["number"] not in text


async def test_an_alert_without_a_request_begins_with_its_transaction(runtime: Runtime) -> None:
    with traced(runtime) as exporter:
        async with runtime.writing(SYSTEM) as unit:
            issued = await drill(unit, "Exercise.", None, runtime.settings, ())
        spans = list(exporter.get_finished_spans())
    assert [span.name for span in spans] == ["transaction", "commit"]
    assert roots(spans) == ["transaction"]
    assert spans[1].parent.span_id == spans[0].context.span_id
    assert {span.context.trace_id for span in spans} == {number_of(issued.alert.id)}


async def _drill_in_vain(runtime: Runtime) -> None:
    async with runtime.writing(SYSTEM) as unit:
        await drill(unit, "Exercise.", None, runtime.settings, ())
        raise ZeroDivisionError


async def test_what_was_not_committed_has_no_trace(runtime: Runtime) -> None:
    with traced(runtime) as exporter:
        with pytest.raises(ZeroDivisionError):
            await _drill_in_vain(runtime)
        async with runtime.writing(SYSTEM):
            pass
        assert exporter.get_finished_spans() == ()


@contextmanager
def receiver() -> Iterator[tuple[str, list[Any]]]:
    """An OTLP receiver for the block's length; gives its address and the spans that it gets."""
    spans: list[Any] = []

    class Receive(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            for each in ExportTraceServiceRequest.FromString(body).resource_spans:
                spans.extend(span for scope in each.scope_spans for span in scope.spans)
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Receive)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/v1/traces", spans
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


async def test_two_processes_export_one_trace(settings: Settings, actors: Actors, tmp_path: Path) -> None:
    counter, owner = await actors.client("checkpoint"), await actors.client("submitter")
    folders = [tmp_path / name for name in ("one", "two")]
    for folder in folders:
        folder.mkdir()
    with receiver() as (address, spans):
        async with (
            process(settings, folders[0], trace_endpoint=address) as one,
            process(settings, folders[1], trace_endpoint=address) as two,
            listening(two.http, counter.headers) as stream,
        ):
            await stream.next("heartbeat")
            alert_id = (await sound(one.http, owner))["alert"]["id"]
            await stream.next("alert")
            receipt = {"level": "received"}
            path = f"/v1/alerts/{alert_id}/receipts"
            expect(await two.http.post(path, json=receipt, headers=counter.headers), 201)
            for each in (one, two):
                each.terminate()
            assert [await each.ended() for each in (one, two)] == [0, 0]
    assert {span.trace_id for span in spans} == {number_of(alert_id).to_bytes(16)}
    assert sorted(span.name for span in spans) == sorted(
        ["request", "transaction", "commit", "receipt", *["read", "publish"] * 2]
    )
    (root,) = [span for span in spans if not span.parent_span_id]
    assert root.name == "request"
    assert {span.parent_span_id for span in spans if span is not root} == {root.span_id}


async def test_a_receiver_that_does_not_answer_holds_nothing_up(
    settings: Settings, actors: Actors, tmp_path: Path
) -> None:
    owner = await actors.client("submitter")
    async with process(settings, tmp_path, trace_endpoint="http://127.0.0.1:9/v1/traces") as service:
        await sound(service.http, owner)
        service.terminate()
        assert await service.ended() == 0


_UNTRACED = """
import sys
import app.cli.serving
from app.main import create_app
from app.settings import Settings
create_app(Settings(database_url="sqlite:///none.db"))
print([name for name in sys.modules if name.startswith(("opentelemetry.sdk", "opentelemetry.exporter", "google."))])
"""

_ASKED_UNDER_A_PROVIDER = """
import asyncio, httpx2
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from app.main import create_app
from app.settings import Settings
exporter, provider = InMemorySpanExporter(), TracerProvider()
provider.add_span_processor(SimpleSpanProcessor(exporter))
trace.set_tracer_provider(provider)
app = create_app(Settings(database_url="sqlite:///none.db"))
async def ask():
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url="http://testserver") as http:
        return (await http.get("/healthz")).status_code
print(asyncio.run(ask()), exporter.get_finished_spans())
"""


@pytest.mark.parametrize(
    ("program", "says"),
    [(_UNTRACED, "[]"), (_ASKED_UNDER_A_PROVIDER, "200 ()")],
    ids=["nothing is loaded", "fastapi makes no spans of its own"],
)
def test_where_traces_are_not_configured_there_are_none(program: str, says: str) -> None:
    given = environment() | {"FASTAPI_OTEL_AUTO_CONFIGURE": "true"}
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT,
        env=given,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert done.stdout.strip() == says


def test_packages_that_are_missing_are_named(sqlite_url: str, tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text('import sys\nsys.modules["opentelemetry.exporter"] = None\n')
    given = environment(database_url=sqlite_url, trace_endpoint="http://127.0.0.1:9/v1/traces")
    given["PYTHONPATH"] = f"{tmp_path}:{ROOT}"
    done = subprocess.run(
        [sys.executable, "-m", "app.cli", "serve", "--port", "0"],
        cwd=tmp_path,
        env=given,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 2
    assert "cekal[trace]" in done.stderr
    assert "opentelemetry.exporter" in done.stderr
