"""Metrics as Prometheus gets them: documents, rules and the dashboard name what a real process serves."""

import asyncio
import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from app.settings import Settings
from tests.support.actors import Actors
from tests.support.bodies import check_body, entry_body
from tests.support.cli import ROOT
from tests.support.processes import process
from tests.support.sse import listening
from tests.support.steps import expect, sound

RULES = ROOT / "docs" / "deploy" / "prometheus-rules.yml"
DASHBOARD = ROOT / "docs" / "deploy" / "grafana-dashboard.json"
PROMTOOL = shutil.which("promtool")

_ON_POSTGRESQL = {"cekal_listening"}
_OF_EVENTS = {
    "cekal_connections_cut_total",
    "cekal_pages_total",
    "cekal_quota_refused_total",
    "cekal_witness_lag_seconds",
}
"""Metrics without a sample in a process to which nothing bad has happened."""

_OF_PROMETHEUS = {"job", "instance"}
_SAMPLE = re.compile(r"^(\w+)(?:\{(.*)\})? \S+$")
_NAME = re.compile(r"\b(?:cekal|process)_[a-z0-9_]+")
_OWN = re.compile(r"\bcekal:[a-z0-9_:]+")


@dataclass(frozen=True, slots=True)
class Served:
    """What `/metrics` has served: names of metrics without suffixes, and the labels of each name of a sample."""

    families: frozenset[str]
    samples: dict[str, frozenset[str]]

    @classmethod
    def of(cls, text: str) -> "Served":
        families, samples = set(), {}
        for line in text.splitlines():
            if line.startswith("# TYPE "):
                families.add(line.split()[2])
            elif found := _SAMPLE.match(line):
                samples[found[1]] = frozenset(re.findall(r'(\w+)="', found[2] or ""))
        return cls(frozenset(each for each in families if not each.endswith("_created")), samples)


@pytest.fixture
async def metrics(settings: Settings, actors: Actors, tmp_path: Path) -> Served:
    """The metrics of a process that has answered a check, and brought an alert to a stream and to a poll."""
    admin, owner = await actors.client("admin"), await actors.client("submitter")
    counter, poller = await actors.client("checkpoint"), await actors.client("checkpoint", checkpoint="DPS")
    async with process(settings, tmp_path) as service:
        http = service.http
        begin = expect(await http.get("/v1/alerts", headers=poller.headers), 200)["cursor"]
        async with listening(http, counter.headers) as stream:
            await stream.next("heartbeat")
            raised = await sound(http, owner)
            await stream.next("alert")
            poll = {"after": begin, "wait": 10}
            assert expect(await http.get("/v1/alerts", params=poll, headers=poller.headers), 200)["items"]
            for each in (counter, poller):
                path, receipt = f"/v1/alerts/{raised['alert']['id']}/receipts", {"level": "received"}
                expect(await http.post(path, json=receipt, headers=each.headers), 201)
            check = check_body(entry_body()["subject"])
            expect(await http.post("/v1/checks", json=check, headers=counter.headers), 200)
            open_text = (await http.get("/metrics", headers=admin.headers)).text
        ended = 'cekal_streams_ended_total{feed="alerts",reason="gone"} 1.0'
        async with asyncio.timeout(10):
            while ended not in (text := (await http.get("/metrics", headers=admin.headers)).text):  # noqa: ASYNC110
                await asyncio.sleep(0.05)
    return Served.of(open_text + text)


def documented() -> dict[str, frozenset[str]]:
    """The metrics of docs/metrics.md, each with its labels."""
    text = (ROOT / "docs" / "metrics.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(cekal_\w+)` \|([^|]*)\|", text, re.MULTILINE)
    return {name: frozenset(re.findall(r"`(\w+)`", labels)) for name, labels in rows}


async def test_the_page_of_metrics_lists_each_one_with_its_labels(metrics: Served, engine_url: str) -> None:
    here = documented()
    expected = here.keys() - (_ON_POSTGRESQL if engine_url.startswith("sqlite") else set())
    assert {each for each in metrics.families if not each.startswith("process_")} == expected
    wrong = {
        name: labels
        for name, labels in here.items()
        for sample, found in metrics.samples.items()
        if sample in {name, f"{name}_count"} and found != labels
    }
    assert wrong == {}
    without = {name for name in expected if not {name, f"{name}_count"} & metrics.samples.keys()}
    assert without == _OF_EVENTS


@pytest.mark.parametrize("page", ["operation", "deployment"])
def test_other_pages_name_metrics_that_exist(page: str) -> None:
    text = (ROOT / "docs" / f"{page}.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`(cekal_\w+)`", text))
    assert named
    assert named <= documented().keys()


def queries() -> Iterator[str]:
    """Every expression of the rules and of the dashboard."""
    for rule in rules():
        yield rule["expr"]
    for panel in json.loads(DASHBOARD.read_text(encoding="utf-8"))["panels"]:
        yield from (target["expr"] for target in panel.get("targets", ()))


def rules() -> list[dict[str, Any]]:
    return [
        rule
        for group in yaml.safe_load(RULES.read_text(encoding="utf-8"))["groups"]
        for rule in group["rules"]
    ]


async def test_rules_and_dashboard_ask_for_what_is_served(metrics: Served, engine_url: str) -> None:
    recorded = {rule["record"] for rule in rules() if "record" in rule}
    known = {**{name: labels | {"le"} for name, labels in documented().items()}, **metrics.samples}
    asked = 0
    for query in queries():
        names = set(_NAME.findall(query))
        asked += len(names)
        assert names <= known.keys(), query
        assert set(_OWN.findall(query)) <= recorded, query
        if names:  # a recorded series has the labels that its own expression gives it
            labels = {
                label for each in re.findall(r"\{(.*?)\}", query) for label in re.findall(r"(\w+)[=!]", each)
            }
            labels |= {
                label.strip() for each in re.findall(r"\bby \((.*?)\)", query) for label in each.split(",")
            }
            assert labels <= _OF_PROMETHEUS.union(*(known[name] for name in names)), query
    assert asked > 50


def test_the_dashboard_is_one_that_grafana_takes() -> None:
    board = json.loads(DASHBOARD.read_text(encoding="utf-8"))
    panels = board["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    for panel in panels:
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24, panel["title"]
        if panel["type"] != "row":
            assert panel["targets"], panel["title"]
            assert panel["description"], panel["title"]
    variables = {each["name"] for each in board["templating"]["list"]}
    used = {name for name in re.findall(r"\$\{?(\w+)", json.dumps(panels)) if not name.startswith("__")}
    assert used == variables


def test_every_alarm_has_its_first_steps() -> None:
    text = (ROOT / "docs" / "metrics.md").read_text(encoding="utf-8")
    alarms = {rule["alert"] for rule in rules() if "alert" in rule}
    assert set(re.findall(r"`(Cekal\w+)`", text)) == alarms
    assert {rule["labels"]["severity"] for rule in rules() if "alert" in rule} == {"page", "ticket", "none"}


_A = 'job="cekal", instance="a"'
_B = 'job="cekal", instance="b"'


def _histogram(name: str, labels: str, *, slow: bool) -> dict[str, str]:
    """A histogram, by minutes; one observation in a hundred, or each, is below 0.1 s, and the others below 60 s."""
    few = "0+1x120" if slow else "0+100x120"
    return {
        f'{name}_bucket{{{_A}{labels}, le="0.1"}}': few,
        f'{name}_bucket{{{_A}{labels}, le="60.0"}}': "0+100x120",
        f'{name}_bucket{{{_A}{labels}, le="+Inf"}}': "0+100x120",
    }


_CHECKS = ', method="POST", route="/v1/checks"'
_READINGS = "cekal_tail_readings_total"
CASES: dict[str, tuple[dict[str, str], dict[str, str]]] = {
    "CekalDown": ({f"up{{{_A}}}": "0x120"}, {f"up{{{_A}}}": "1x120"}),
    "CekalLedgerNotRead": (
        {f"cekal_tail_age_seconds{{{_A}}}": "9x120"},
        {f"cekal_tail_age_seconds{{{_A}}}": "1x120"},
    ),
    "CekalLedgerBehind": (
        {f"cekal_ledger_size{{{_A}}}": "5x120", f"cekal_ledger_size{{{_B}}}": "7x120"},
        {f"cekal_ledger_size{{{_A}}}": "7x120", f"cekal_ledger_size{{{_B}}}": "7x120"},
    ),
    "CekalWakeUpsLost": (
        {
            f"cekal_listening{{{_A}}}": "1x120",
            f'{_READINGS}{{{_A}, cause="poll"}}': "0+1x120",
            f'{_READINGS}{{{_A}, cause="notification"}}': "7x120",
        },
        {
            f"cekal_listening{{{_A}}}": "1x120",
            f'{_READINGS}{{{_A}, cause="poll"}}': "0+1x120",
            f'{_READINGS}{{{_A}, cause="notification"}}': "0+9x120",
        },
    ),
    "CekalPagesFail": (
        {f'cekal_pages_total{{{_A}, channel="email", state="failed"}}': "0+1x120"},
        {f'cekal_pages_total{{{_A}, channel="email", state="sent"}}': "0+1x120"},
    ),
    "CekalWatchdogFails": (
        {f'cekal_watchdog_reports_total{{{_A}, outcome="failed"}}': "0+1x120"},
        {f'cekal_watchdog_reports_total{{{_A}, outcome="accepted"}}': "0+1x120"},
    ),
    "CekalWebhooksLate": (
        {f"cekal_webhook_oldest_due_seconds{{{_A}}}": "90x120"},
        {f"cekal_webhook_oldest_due_seconds{{{_A}}}": "1x120"},
    ),
    "CekalWebhooksFail": (
        {f"cekal_webhook_breakers_open{{{_A}}}": "1x120"},
        {f"cekal_webhook_breakers_open{{{_A}}}": "0x120"},
    ),
    "CekalAlertsSlow": (
        _histogram("cekal_alert_publish_seconds", "", slow=True),
        _histogram("cekal_alert_publish_seconds", "", slow=False),
    ),
    "CekalReceiptsSlow": (
        _histogram("cekal_alert_received_seconds", ', channel="poll"', slow=True),
        _histogram("cekal_alert_received_seconds", ', channel="elsewhere"', slow=True),
    ),
    "CekalStreamsLost": (
        {f"cekal_streams_open{{{_A}}}": "100x110 70x20"},
        {f"cekal_streams_open{{{_A}}}": "100x110 50x20", f"cekal_streams_open{{{_B}}}": "100x110 150x20"},
    ),
    "CekalStreamsCut": (
        {f'cekal_streams_ended_total{{{_A}, feed="alerts", reason="lagging"}}': "0+5x120"},
        {f'cekal_streams_ended_total{{{_A}, feed="alerts", reason="renew"}}': "0+5x120"},
    ),
    "CekalChecksSlow": (
        _histogram("cekal_http_request_seconds", _CHECKS, slow=True),
        _histogram("cekal_http_request_seconds", _CHECKS, slow=False),
    ),
    "CekalQueueLong": (
        {f'cekal_database_waiting{{{_A}, lane="reads"}}': "21x120"},
        {
            f'cekal_database_waiting{{{_A}, lane="reads"}}': "20x120",
            f'cekal_checks_waiting{{{_A}, kind="row"}}': "900x120",
        },
    ),
    "CekalErrors": (
        {
            f'cekal_http_requests_total{{{_A}, status="503"}}': "0+2x120",
            f'cekal_http_requests_total{{{_A}, status="200"}}': "0+98x120",
        },
        {
            f'cekal_http_requests_total{{{_A}, status="429"}}': "0+50x120",
            f'cekal_http_requests_total{{{_A}, status="200"}}': "0+50x120",
        },
    ),
    "CekalHeadUnsigned": (
        {f"cekal_head_age_seconds{{{_A}}}": "900x120"},
        {f"cekal_head_age_seconds{{{_A}}}": "900x120", f"cekal_head_age_seconds{{{_B}}}": "9x120"},
    ),
    "CekalWitnessLags": (
        {f'cekal_witness_lag_seconds{{{_A}, witness="w"}}': "400x120"},
        {f'cekal_witness_lag_seconds{{{_A}, witness="w"}}': "60x120"},
    ),
    "CekalClockDoubted": (
        {f"cekal_clock_doubted{{{_A}}}": "1x120"},
        {f"cekal_clock_doubted{{{_A}}}": "0x120"},
    ),
    "CekalRegisterRolledBack": (
        {f"cekal_register_rolled_back{{{_A}}}": "1x120"},
        {f"cekal_register_rolled_back{{{_A}}}": "0x120"},
    ),
    "CekalMarkFaulty": ({f"cekal_mark_faulty{{{_A}}}": "1x120"}, {f"cekal_mark_faulty{{{_A}}}": "0x120"}),
    "CekalMemoryGrows": (
        {f"process_resident_memory_bytes{{{_A}}}": "100000000+2000000x120"},
        {f"process_resident_memory_bytes{{{_A}}}": "100000000x60 150000000x60"},
    ),
    "CekalStreamMemory": (
        {f"cekal_stream_memory_bytes{{{_A}}}": "200000x120", f"cekal_streams_open{{{_A}}}": "900x120"},
        {f"cekal_stream_memory_bytes{{{_A}}}": "200000x120", f"cekal_streams_open{{{_A}}}": "9x120"},
    ),
    "CekalConnectionsFull": (
        {f'cekal_connections_cut_total{{{_A}, reason="total"}}': "0+1x120"},
        {f'cekal_connections_cut_total{{{_A}, reason="idle"}}': "0+90x120"},
    ),
}
"""For each alarm series, by minutes, at whose end it fires, and others that look like it, at whose end it does not."""


def test_every_alarm_that_can_be_silent_is_tried() -> None:
    assert {rule["alert"] for rule in rules() if "alert" in rule} == {*CASES, "CekalWatchdog"}


@pytest.mark.skipif(PROMTOOL is None, reason="promtool is not installed (Debian's package prometheus)")
def test_every_alarm_fires_when_it_should(tmp_path: Path) -> None:
    assert fired(tmp_path, {name: fires for name, (fires, _) in CASES.items()}) == CASES.keys()


@pytest.mark.skipif(PROMTOOL is None, reason="promtool is not installed (Debian's package prometheus)")
def test_no_alarm_fires_when_it_should_not(tmp_path: Path) -> None:
    assert fired(tmp_path, {name: silent for name, (_, silent) in CASES.items()}) == set()


@pytest.mark.skipif(PROMTOOL is None, reason="promtool is not installed (Debian's package prometheus)")
def test_the_watchdog_always_fires(tmp_path: Path) -> None:
    assert fired(tmp_path, {"CekalWatchdog": {}}) == {"CekalWatchdog"}


def fired(folder: Path, given: dict[str, dict[str, str]]) -> set[str]:
    """Which alarms `promtool test rules` finds firing after two hours of the series that are given for each."""
    cases = [
        {
            "interval": "1m",
            "input_series": [{"series": each, "values": values} for each, values in series.items()],
            "alert_rule_test": [{"eval_time": "2h", "alertname": alarm, "exp_alerts": []}],
        }
        for alarm, series in given.items()
    ]
    file = folder / "test.yml"
    test = {"rule_files": [str(RULES)], "evaluation_interval": "30s", "tests": cases}
    file.write_text(yaml.safe_dump(test), encoding="utf-8")
    done = subprocess.run(
        [str(PROMTOOL), "test", "rules", str(file)], capture_output=True, text=True, timeout=120, check=False
    )
    told = done.stdout + done.stderr
    found = set(re.findall(r"alertname: (\w+), time: 2h", told))
    assert (done.returncode == 0) == (not found), told
    assert found == set(re.findall(r'alertname="(\w+)"', told)), told
    return found
