"""The lock files satisfy what the package asks for, by hashes; nothing of the product is under a copyleft licence."""

import re
import tomllib
from importlib import metadata
from pathlib import Path

import pytest
from packaging.markers import default_environment
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
ASKED = PROJECT["project"]["dependencies"]
ASKED_BY_TESTS = PROJECT["project"]["optional-dependencies"]["test"]
ASKED_BY_TRACES = PROJECT["project"]["optional-dependencies"]["trace"]
ASKED_BY_BUILD = PROJECT["build-system"]["requires"]

_PINNED = re.compile(r"^(?P<name>[A-Za-z0-9._-]+)==(?P<version>\S+)(?: ; (?P<marker>.+?))? \\$")
_HASH = re.compile(r"^    --hash=sha256:[0-9a-f]{64}(?: \\)?$")
_NOTE = re.compile(r"^    #")

COPYLEFT = re.compile(r"\bA?L?GPL|GNU (?:Lesser |Affero )?General Public", re.IGNORECASE)
"""Licences that a product under Apache-2.0 must not bring along."""


def locked(name: str) -> dict[str, Version]:
    """What a lock file pins, by normal name; each line of it is a pin, a hash or a note."""
    pins: dict[str, Version] = {}
    hashes: dict[str, int] = {}
    last = ""
    for line in (ROOT / ".ci" / name).read_text(encoding="utf-8").splitlines():
        if found := _PINNED.match(line):
            last = canonicalize_name(found["name"])
            pins[last], hashes[last] = Version(found["version"]), 0
        elif _HASH.match(line):
            hashes[last] += 1
        else:
            assert _NOTE.match(line), f"{name}: {line}"
    assert [each for each, count in hashes.items() if not count] == []
    return pins


def unsatisfied(asked: list[str], pins: dict[str, Version]) -> list[str]:
    """What is asked for here and not pinned to a version that will do."""
    wanted = [Requirement(each) for each in asked]
    return [
        str(each)
        for each in wanted
        if (each.marker is None or each.marker.evaluate())
        and (
            canonicalize_name(each.name) not in pins
            or not each.specifier.contains(pins[canonicalize_name(each.name)])
        )
    ]


def closure(asked: list[str]) -> dict[str, metadata.Distribution]:
    """The installed packages that some requirements bring along on this machine, by normal name."""
    found: dict[str, metadata.Distribution] = {}
    waiting = [Requirement(each) for each in asked]
    while waiting:
        each = waiting.pop()
        name = canonicalize_name(each.name)
        known = name in found
        package = found.setdefault(name, metadata.distribution(name))
        if known and not each.extras:
            continue
        for text in package.requires or ():
            needed = Requirement(text)
            extras = [{**default_environment(), "extra": extra} for extra in (*each.extras, "")]
            wanted = needed.marker is None or any(needed.marker.evaluate(extra) for extra in extras)
            if wanted and not (known and canonicalize_name(needed.name) in found):
                waiting.append(needed)
    return found


def licences(package: metadata.Distribution) -> list[str]:
    """What a package says of its licence in its metadata: expression, name, classifiers."""
    told = package.metadata
    named = (told.get("License") or "").splitlines()[:1]
    classifiers = [each for each in told.get_all("Classifier") or () if each.startswith("License ::")]
    return [each for each in (told.get("License-Expression"), *named, *classifiers) if each]


@pytest.mark.parametrize(
    ("name", "asked"),
    [
        ("image.lock", ASKED),
        ("test.lock", [*ASKED, *ASKED_BY_TESTS]),
        ("build.lock", ASKED_BY_BUILD),
    ],
)
def test_a_lock_satisfies_what_the_package_asks_for(name: str, asked: list[str]):
    assert unsatisfied(asked, locked(name)) == []


def test_a_requirement_that_moved_on_would_be_seen():
    pins = locked("image.lock")
    assert unsatisfied(["fastapi>=9999"], pins) == ["fastapi>=9999"]
    assert unsatisfied(["not-locked"], pins) == ["not-locked"]


def test_the_lock_holds_all_that_the_product_brings_along_here():
    assert set(closure(ASKED)) - set(locked("image.lock")) == set()


def test_the_tests_run_with_what_the_image_holds():
    image, tests = locked("image.lock"), locked("test.lock")
    assert {name: tests.get(name) for name in image} == image


def test_nothing_of_the_product_is_under_the_gpl_or_the_lgpl():
    packages = closure([*ASKED, *ASKED_BY_TRACES])
    assert len(packages) > len(ASKED)
    assert [name for name, package in packages.items() if not licences(package)] == [], (
        "each says its licence"
    )
    bound = {name: licences(each) for name, each in packages.items() if COPYLEFT.search(str(licences(each)))}
    assert bound == {}


@pytest.mark.parametrize(
    "told", ["GPL-3.0-only", "LGPLv2+", "AGPL-3.0", "GNU Lesser General Public License v3"]
)
def test_a_copyleft_licence_would_be_seen(told: str):
    assert COPYLEFT.search(told)
