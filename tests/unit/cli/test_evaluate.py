"""`cekal evaluate`: tables for people, JSON for scripts, a sentence for a malformed file."""

import json
from pathlib import Path

import pytest
from pydantic import ValidationError

from app.cli.commands import run
from app.cli.failures import FAILED, USAGE, Refused

PAIRS = "set,name_query,name_entry,label,category\nidn,Boedi Santosa,Budi Santoso,1,spelling\nidn,Siti,Agus,0,random\n"


@pytest.fixture
def pairs(tmp_path: Path) -> Path:
    path = tmp_path / "pairs.csv"
    path.write_text(PAIRS, encoding="utf-8")
    return path


def test_pairs_as_json(pairs: Path, capsys: pytest.CaptureFixture[str]):
    run(["evaluate", str(pairs), "--json"])
    report = json.loads(capsys.readouterr().out)
    assert {
        report[which]["idn"][figure]
        for which in ("stops", "sets")
        for figure in ("precision", "recall", "f1")
    } == {1}
    assert (report["stops"]["idn"]["n"], report["stops"]["idn"]["same"]) == (2, 1)
    assert report["stops"]["idn"]["recall_95"] == [0.2065, 1.0]


def test_pairs_as_a_table_without_any_name(pairs: Path, capsys: pytest.CaptureFixture[str]):
    run(["evaluate", str(pairs), "--names-only"])
    said = capsys.readouterr().out
    assert said.index("stops: precision") < said.index("told: precision")
    assert "1.000 (0.21-1.00)" in said
    assert "spelling" in said
    assert "Santoso" not in said


def test_queries_against_the_list_beside_them(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    queries = tmp_path / "queries.csv"
    queries.write_text("set,name,dob,expected_id,category,mode\nidn,Boedi Santosa,,e1,,\n", encoding="utf-8")
    with pytest.raises(Refused, match="--list") as refusal:
        run(["evaluate", str(queries)])
    assert refusal.value.code == USAGE
    (tmp_path / "list.ndjson").write_text('{"id": "e1", "names": ["Budi Santoso"]}\n', encoding="utf-8")
    run(["evaluate", str(queries), "--json"])
    report = json.loads(capsys.readouterr().out)
    assert report["ranks"] == [1]
    assert report["sets"]["idn"]["recall"] == 1.0
    run(["evaluate", str(queries)])
    said = capsys.readouterr().out
    assert said.index("stopped") < said.index("told") < said.index("median rank")


def test_a_malformed_file_is_refused_in_a_sentence(pairs: Path):
    pairs.write_text("name_query,name_entry,label\nBudi,Boedi,yes\n", encoding="utf-8")
    with pytest.raises(Refused, match="line 2: label must be 1") as refusal:
        run(["evaluate", str(pairs)])
    assert refusal.value.code == FAILED


def test_thresholds_can_be_tried(
    pairs: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    bits = ("name_only_bits", "part_bits", "contained_bits", "within_bits", "compatible_bits", "equal_bits")
    monkeypatch.setenv("CEKAL_MATCH_POLICY", json.dumps(dict.fromkeys(bits, 50)))
    run(["evaluate", str(pairs), "--json"])
    assert json.loads(capsys.readouterr().out)["sets"]["idn"]["recall"] == 0.0


@pytest.mark.parametrize("policy", ['{"stop_bits": -1}', '{"stop_likeness": 2}', '{"stop_bitts": 1}'])
def test_a_threshold_that_can_not_be_meant_is_refused(
    pairs: Path, monkeypatch: pytest.MonkeyPatch, policy: str
):
    monkeypatch.setenv("CEKAL_MATCH_POLICY", policy)
    with pytest.raises(ValidationError, match=r"(?s)match_policy.*stop_"):
        run(["evaluate", str(pairs)])
