"""`cekal openapi`: the committed description of the API, and the pages made of it, are those of the program."""

import csv
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from app.cli import dictionary
from app.web.catalogue import CATALOGUE
from tests.support.cli import ROOT, cekal, environment

COMMITTED = ROOT / "docs" / "openapi.json"
PAGES = {"--dictionary": "data-dictionary.md", "--code-lists": "code-lists.csv", "--errors": "errors.md"}


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


@pytest.mark.parametrize("page", PAGES)
def test_the_pages_made_of_the_document_are_up_to_date(page: str):
    made = {
        "--dictionary": dictionary.dictionary,
        "--code-lists": dictionary.code_lists_csv,
        "--errors": dictionary.errors,
    }
    document = json.loads(COMMITTED.read_text(encoding="utf-8"))
    assert (ROOT / "docs" / PAGES[page]).read_text(encoding="utf-8") == made[page](document)


def test_a_page_that_is_out_of_date_is_told_with_the_command_to_mend_it(tmp_path: Path):
    old = tmp_path / "old.md"
    old.write_text("")
    told = cekal("openapi", "--errors", "--check", old, cwd=tmp_path)
    assert (told.code, told.out) == (1, "")
    assert "is out of date: cekal openapi --errors > " in told.err


def test_two_pages_at_once_are_refused(tmp_path: Path):
    told = cekal("openapi", "--errors", "--dictionary", cwd=tmp_path)
    assert (told.code, told.out) == (2, "")


def test_the_dictionary_has_every_object_with_every_member():
    schemas = json.loads(COMMITTED.read_text(encoding="utf-8"))["components"]["schemas"]
    page = (ROOT / "docs" / PAGES["--dictionary"]).read_text(encoding="utf-8")
    sections = {part.splitlines()[0]: part for part in page.split("\n### ")[1:]}
    objects = {name: schema for name, schema in schemas.items() if schema["type"] == "object"}
    assert sections.keys() == objects.keys()
    for name, schema in objects.items():
        rows = dict(re.findall(r"^\| `(\w+)` \| .* \| (.+) \|$", sections[name], re.MULTILINE))
        assert rows.keys() == schema.get("properties", {}).keys(), name


def test_every_word_of_the_document_is_in_a_code_list_once():
    with (ROOT / "docs" / PAGES["--code-lists"]).open(encoding="utf-8", newline="") as file:
        rows = [(row["list"], row["value"]) for row in csv.DictReader(file)]
    assert len(rows) == len(set(rows))
    document = json.loads(COMMITTED.read_text(encoding="utf-8"))
    del document["components"]["headers"]  # their words are HTTP's own
    words = set(re.findall(r'"enum": \[(.*?)\]', json.dumps(document), re.DOTALL))
    wanted = {word for group in words if group.count(",") for word in re.findall(r'"([^"]+)"', group)}
    assert wanted - {value for _, value in rows} == set()


def test_the_page_of_errors_says_what_to_do_on_each_status():
    page = (ROOT / "docs" / PAGES["--errors"]).read_text(encoding="utf-8")
    table = page[page.index("what a program does") : page.index("This page is printed")]
    told = [
        int(status)
        for row in re.findall(r"^\| ([\d, ]+) \|", table, re.MULTILINE)
        for status in row.split(", ")
    ]
    assert sorted(told) == sorted({kind.status for kind in CATALOGUE.values()})
    assert re.findall(r"^## (.+)$", page, re.MULTILINE) == sorted(
        CATALOGUE, key=lambda slug: (CATALOGUE[slug].status, slug)
    )
