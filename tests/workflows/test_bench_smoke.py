"""The benchmarks still run. What they measure in a second means nothing and is not looked at.

Most of them are run on one engine, some on SQLite and some on PostgreSQL: both engines have the same code here.
"""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
_LONGEST = 180.0


def _run(module: str, *options: str) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-m", module, "--quick", "--json", *options],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=_LONGEST,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    report: dict[str, Any] = json.loads(done.stdout)
    return report


def test_the_benchmark_of_checks_runs_against_its_rivals_without_an_error() -> None:
    report = _run("bench.checks", "--past", "50", "--mrz", "--quiet", "--engines", "sqlite")

    assert report["benchmark"] == "checks"
    variants = {row["variant"]: row for row in report["variants"]}
    engines = ["sqlite" + more for more in ("", ", MRZ", ", no access log", ", 50 past checks")]
    assert {"hello", *engines} <= variants.keys()
    assert "pgbench -S" in variants or report["not_run"] == ["pgbench -S"]
    for row in variants.values():
        assert row["failures"] == {}
        assert row["per_second"] > 0
    for name in ("hello", *engines):
        assert variants[name]["served"] > 0
        assert variants[name]["p99_ms"] >= variants[name]["p50_ms"] > 0
        assert variants[name]["rss_mb_last"] > 0


def test_the_benchmark_of_the_feed_reaches_every_follower_and_names_rivals_that_do_not_install(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_NO_INDEX", "1")

    report = _run("bench.feed", "--engines", "sqlite", "--rivals", str(tmp_path))

    assert report["benchmark"] == "feed"
    for result in report["followers"]:
        assert [row["variant"] for row in result["variants"]] == ["alerts", "feed"]
        for row in result["variants"]:
            assert row["failures"] == []
            assert row["reached"] == report["streams"] * report["rounds"]
    for result in report["exports"]:
        assert result["failures"] == []
        assert result["lines_seconds"] > 0
    rivals = report["rivals"]
    assert [row["variant"] for row in rivals["readings"]] == ["sqlite, pages", "sqlite, lines"]
    assert [row["variant"] for row in rivals["lookups"]] == ["sqlite, agency", "sqlite, record"]
    assert all(row["seconds"] > 0 for row in rivals["readings"] + rivals["lookups"])
    assert {name: "No matching distribution" in why for name, why in rivals["not_measured"].items()} == {
        "kinto": True,
        "datasette": True,
    }
    assert list(tmp_path.iterdir()) == []


def test_the_benchmark_of_snapshots_makes_one_of_every_entry() -> None:
    report = _run("bench.snapshots", "--engines", "sqlite")

    assert report["benchmark"] == "snapshots"
    (result,) = report["results"]
    assert result["failures"] == []
    assert result["make_seconds"] > 0


def test_the_benchmark_of_alerts_reaches_every_stream_of_every_variant() -> None:
    report = _run("bench.alerts")

    assert report["benchmark"] == "alerts"
    (result,) = report["results"]
    assert [row["variant"] for row in result["variants"]] == ["bare", "sqlite", "postgresql"]
    for row in result["variants"]:
        assert row["failures"] == []
        assert row["reached"] == result["streams"] * report["rounds"]
        assert row["last_ms"] >= row["first_ms"] > 0
        assert len(row["rss_mb"]) == 3


def test_the_benchmark_of_storms_brings_every_client_back_and_stores_every_receipt() -> None:
    report = _run("bench.storms", "--engines", "sqlite")

    assert report["benchmark"] == "storms"
    variants = [row["variant"] for row in report["reconnects"]]
    assert [*report["not_run"], *variants] == ["nchan", "sqlite"]
    for row in report["reconnects"]:
        assert row["failures"] == {}
        assert row["resumed"] == report["clients"] * report["rounds"]
        assert row["last_s"] >= row["first_s"] > 0
    assert [row["variant"] for row in report["receipts"]] == ["hello", "sqlite"]
    for row in report["receipts"]:
        assert row["failures"] == {}
        assert row["seconds"] > 0
    for row in report["receipts"][1:]:
        assert row["stored"] == row["posted"] == report["receipts_posted"] * report["rounds"]


def test_the_benchmark_of_scaling_serves_one_register_by_one_and_by_two_processes() -> None:
    report = _run("bench.scaling")

    assert report["benchmark"] == "scaling"
    assert [row["processes"] for row in report["rows"]] == [1, 2]
    for row in report["rows"]:
        assert row["failures"] == []
        assert min(row["rate"], row["cpu_us"], row["last_ms"]) > 0


def test_the_benchmark_of_screening_asks_registers_of_two_sizes() -> None:
    report = _run("bench.screening", "--engines", "sqlite")

    assert report["benchmark"] == "screening"
    asked = [(row["engine"], row["entries"]) for row in report["curve"]]
    assert asked == [("sqlite", size) for size in (50, 100)]
    for row in report["curve"]:
        assert row["failures"] == {}
        assert row["full_cpu_us"] > 0
        assert row["p99_ms"] >= row["p50_ms"] > 0


def test_the_benchmark_of_statistics_runs_on_both_engines() -> None:
    report = _run("bench.statistics")

    assert report["benchmark"] == "statistics"
    counted = [(row["engine"], row["what"]) for row in report["rows"]]
    tables = ["nothing", "month", "province", "agency x province"]
    assert counted == [(engine, what) for engine in ("sqlite", "postgresql") for what in tables]
    assert all(row["seconds"] > 0 for row in report["rows"])


def test_the_benchmark_of_worklists_fills_a_register_and_reads_every_list() -> None:
    report = _run("bench.worklist", "--engines", "sqlite")

    assert report["benchmark"] == "worklist"
    assert set(report["figures"]) == {"sqlite"}
    for figures in report["figures"].values():
        assert figures["notices told"] > 0
        assert min(figures[name] for name in ("submitter", "verifier", "approver", "duty_officer")) > 0


def test_the_benchmark_of_proofs_proves_records() -> None:
    report = _run("bench.proofs", "--engines", "postgresql")

    assert report["benchmark"] == "proofs"
    assert [(row["engine"], row["what"]) for row in report["rows"]] == [
        ("postgresql", what) for what in ("one agency", "inclusion", "consistency")
    ]
    assert all(row["median_ms"] > 0 for row in report["rows"])


def test_the_benchmark_of_sealing_seals_every_check() -> None:
    report = _run("bench.sealing")

    assert report["benchmark"] == "sealing"
    assert [(row["engine"], row["what"]) for row in report["rows"]] == [
        (engine, what) for engine in ("sqlite", "postgresql") for what in ("a bare read", "sealing")
    ]
    assert [row["batches"] for row in report["rows"]] == [0, 1] * 2


def test_the_benchmark_of_lookbacks_finds_the_one_who_left() -> None:
    report = _run("bench.lookbacks")

    assert report["benchmark"] == "lookbacks"
    assert [row["engine"] for row in report["rows"]] == ["sqlite"] * 3 + ["postgresql"] * 3
    for row in report["rows"]:
        assert row["told"] >= 1
        assert row["seconds"] > 0


def test_the_siege_attacks_in_every_way() -> None:
    report = _run("bench.siege", "--engines", "postgresql")

    assert report["benchmark"] == "siege"
    attacks = [phase["attack"] for phase in report["phases"] if phase["engine"] == "postgresql"]
    assert len(attacks) == len(set(attacks)) == 8
    for phase in report["phases"]:
        assert phase["failures"] == []
        assert phase["checks"]["served"] > 0
        assert phase["alerts_ms"]
        assert len(phase["answered"]) in {0, 1, 6}
        assert all("died" not in answered for answered in phase["answered"].values())


def test_the_benchmark_of_secrecy_times_carriers_with_a_ban_and_without() -> None:
    report = _run("bench.secrecy", "--engines", "sqlite")

    assert report["benchmark"] == "secrecy"
    shapes = [(row["engine"], row["shape"]) for row in report["rows"]]
    assert shapes == [("sqlite", shape) for shape in ("one person", "a name a row")]
    assert all(min(row["with_ban_ms"], row["without_ms"]) > 0 for row in report["rows"])


def test_the_benchmark_of_imports_takes_every_line_over_beside_checks() -> None:
    report = _run("bench.imports", "--engines", "postgresql")

    assert report["benchmark"] == "imports"
    assert [(row["engine"], row["lines"]) for row in report["curve"]] == [("postgresql", report["lines"])]
    for row in report["curve"]:
        assert row["failures"] == {}
        assert row["written_kb_a_line"] > 0
        assert row["check_p99_ms"] >= row["check_p50_ms"] > 0
        assert row["urgent_max_ms"] > 0


def test_the_soak_loses_nothing_that_was_acknowledged_and_nothing_is_refused() -> None:
    report = _run("bench.soak", "--engines", "postgresql")

    assert report["benchmark"] == "soak"
    assert [result["engine"] for result in report["results"]] == ["postgresql"]
    for result in report["results"]:
        assert result["failures"] == {}
        assert result["streams_opened"] > 0
        assert all(row["rss_mb"] > 0 for row in result["minutes"])
        assert result["minutes"][-1]["answered"] > 0
        assert (result["kills"], result["gaps"]) == (1, 0)
        assert result["acknowledged"] > 0
        assert [each["reader"] for each in result["readers"]] == ["stream", "poll", "feed", "webhook"]
        for each in result["readers"]:
            assert (each["received"], each["missing"]) == (result["acknowledged"], 0)
            assert each["latest_ms"] > 0
