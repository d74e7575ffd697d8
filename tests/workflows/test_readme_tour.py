"""README's tour: each line as it is printed, in order, in one real shell against a real register."""

import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from app.demo.server import any_free_port
from tests.support.cli import ROOT

LONGEST = 240
_CLAIM = re.compile(r"\s+# -> (.+)$")


def tour() -> str:
    """The part of README that is the tour."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    (part,) = re.findall(r"^## A tour [^\n]*\n(.*?)^## ", text, re.MULTILINE | re.DOTALL)
    return str(part)


def commands() -> list[tuple[str, str | None]]:
    """Each command line of the tour, and what it claims to answer."""
    blocks = re.findall(r"^```sh\n(.*?)^```$", tour(), re.MULTILINE | re.DOTALL)
    lines = "".join(blocks).replace("\\\n", "").splitlines()
    return [(_CLAIM.sub("", line), claim[1] if (claim := _CLAIM.search(line)) else None) for line in lines]


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A folder that looks like a clone in which the first command of README was run."""
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "examples").symlink_to(ROOT / "docs" / "examples")
    (tmp_path / ".venv").symlink_to(sys.prefix)
    return tmp_path


def test_the_tour_can_be_walked_as_it_is_printed(clone: Path):
    port = str(any_free_port())  # the one thing that is not as printed: others may use 8000
    script, steps = ["trap 'kill $(jobs -p) 2>/dev/null' EXIT"], commands()
    for number, (line, _) in enumerate(steps):
        line = line.replace("localhost:8000", f"localhost:{port}")  # noqa: PLW2901
        line = line.replace("cekal serve ", f"cekal serve --port {port} ")  # noqa: PLW2901
        script += [f"echo '@begin {number}'", line, f'echo; echo "@end {number} $?"']
    walked = subprocess.run(
        ["bash", "-c", "\n".join(script)],
        cwd=clone,
        env={"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=LONGEST,
        check=False,
    )
    found = re.findall(r"^@begin (\d+)\n(.*?)\n?^@end \1 (\d+)$", walked.stdout, re.MULTILINE | re.DOTALL)
    assert len(found) == len(steps), walked.stdout + walked.stderr
    for (line, claim), (_, said, code) in zip(steps, found, strict=True):
        assert code == "0", f"{line}\n{said}\n{walked.stderr}"
        assert "/problems/" not in said, f"{line}\n{said}"
        assert claim is None or claim in said, f"{line}\n{said}"
    (refusal,) = [
        said for (_, claim), (_, said, _) in zip(steps, found, strict=True) if claim == "refuse_exit"
    ]
    assert '"phone":"+62 21 5550 0101"' in refusal, "the counter must know the number to call"
    assert (clone / "tour" / "letter.pdf").read_bytes().startswith(b"%PDF")
    assert zipfile.is_zipfile(clone / "tour" / "evidence.zip")
    assert '"message":"ready"' in (clone / "tour" / "serve.log").read_text(encoding="utf-8")


def test_the_tour_claims_what_it_shows_and_uses_every_file_that_is_shipped():
    claims = [claim for _, claim in commands() if claim]
    assert len(claims) >= 12
    bodies = {
        path.name for path in (ROOT / "docs" / "examples").iterdir() if path.suffix not in {".py", ".ts"}
    }
    named = set(re.findall(r"tour/([\w-]+\.(?:json|edi|xml|ndjson))", tour()))
    assert named == bodies


def test_the_same_passport_is_used_throughout():
    examples = ROOT / "docs" / "examples"
    for name in ("urgent-entry.json", "check.json", "paxlst.edi"):
        assert "X9042617" in (examples / name).read_text(encoding="utf-8")
