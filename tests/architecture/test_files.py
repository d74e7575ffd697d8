"""What the house says about files: their names, their length, what they may not say."""

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

LONGEST = 400
"""Lines: what a reader can hold in mind, with some room."""

NAMELESS = {"utils", "util", "helpers", "helper", "common", "core", "manager", "managers", "misc"}
"""Names that say nothing about what is inside."""

_PLACES = re.compile(r"(?<![\w.*~$}-])/(?:root|home|Users|work|workspace|opt|tmp|mnt|farm)/[\w.-]")
"""Paths of somebody's machine, as opposed to those that every system has."""

_REGISTRIES = re.compile(r"pypi\.org|pythonhosted\.org|npmjs\.(?:com|org)", re.IGNORECASE)


def committed() -> Iterator[Path]:
    """Files that are, or are about to be, in the repository; in an unpacked archive all files."""
    listed = subprocess.run(
        ["git", "-C", ROOT, "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        capture_output=True,
        text=True,
        check=False,
    )
    if listed.returncode == 0:
        yield from (path for name in listed.stdout.split("\0") if name and (path := ROOT / name).is_file())
        return
    for path in ROOT.rglob("*"):
        parts = path.relative_to(ROOT).parts
        if path.is_file() and not any(part.startswith(".") or part == "__pycache__" for part in parts):
            yield path


def texts() -> Iterator[tuple[str, str]]:
    """Committed texts, by their path in the repository."""
    for path in committed():
        try:
            yield path.relative_to(ROOT).as_posix(), path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue


def said(pattern: re.Pattern[str]) -> list[str]:
    return [
        f"{name}:{number}: {line.strip()[:100]}"
        for name, text in texts()
        for number, line in enumerate(text.splitlines(), 1)
        if pattern.search(line)
    ]


def test_no_module_has_a_name_that_says_nothing():
    names = [
        path for path in (ROOT / "app").rglob("*") if path.stem in NAMELESS and path.suffix in {"", ".py"}
    ]
    assert names == []


@pytest.mark.parametrize("kind", ["unit", "api"])
def test_tests_are_sorted_by_the_folders_of_the_application(kind: str):
    folders = {path.name for path in (ROOT / "tests" / kind).iterdir() if path.is_dir()} - {"__pycache__"}
    wings = {path.parent.name for path in (ROOT / "app").glob("*/__init__.py")}
    assert folders - wings == set()
    loose = {path.stem.removeprefix("test_") for path in (ROOT / "tests" / kind).glob("test_*.py")}
    modules = {path.stem for path in (ROOT / "app").glob("*.py")}
    assert {name for name in loose if not any(name.startswith(module) for module in modules)} == set()


def test_no_file_of_the_application_is_too_long_to_hold_in_mind():
    lengths = {
        path.relative_to(ROOT).as_posix(): len(path.read_text(encoding="utf-8").splitlines())
        for path in (ROOT / "app").rglob("*.py")
    }
    assert {name: length for name, length in lengths.items() if length >= LONGEST} == {}


def test_no_committed_file_names_a_path_of_a_machine():
    assert said(_PLACES) == []


def test_no_committed_file_names_the_host_of_a_package_registry():
    assert said(_REGISTRIES) == []


@pytest.mark.parametrize("before", ["", '"', "see ", "=", "("])
@pytest.mark.parametrize("top", ["root", "home", "Users", "work", "opt", "tmp"])
def test_a_path_of_a_machine_would_be_seen(before: str, top: str):
    assert _PLACES.search(f"{before}/{top}/somebody")


@pytest.mark.parametrize(
    "text", ["a/work/b", "tests/opt/x", "../tmp/x", "/usr/bin/env", "https://a.id/home/x", "app.*/work/", "/"]
)
def test_other_paths_are_left_alone(text: str):
    assert not _PLACES.search(text)
