"""`cekal openapi`: the committed description of the API is the one of the program."""

import json
import subprocess
import sys
from pathlib import Path

from tests.support.cli import ROOT, cekal, environment

COMMITTED = ROOT / "docs" / "openapi.json"


def test_the_committed_document_is_up_to_date(tmp_path: Path):
    told = cekal("openapi", "--check", COMMITTED, cwd=tmp_path)
    assert told.code == 0, told.err
    assert list(tmp_path.iterdir()) == []


def test_a_document_that_is_out_of_date_is_told_with_the_command_to_mend_it(tmp_path: Path):
    old = tmp_path / "old.json"
    old.write_text("{}")
    told = cekal("openapi", "--check", old, cwd=tmp_path)
    assert (told.code, told.out) == (1, "")
    assert "is out of date: cekal openapi > " in told.err


def test_the_document_is_the_same_in_every_process():
    documents = {
        subprocess.run(
            [sys.executable, "-m", "app.cli", "openapi"],
            env={**environment(), "PYTHONHASHSEED": seed},
            cwd=ROOT,
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(documents) == 1
    document = json.loads(documents.pop())
    assert document["openapi"].startswith("3.1")
    assert list(document["paths"]) == sorted(document["paths"])
