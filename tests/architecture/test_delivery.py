"""What is delivered: the one command that README promises, the image, the package."""

import json
import re
import tomllib
from pathlib import Path

import yaml

from app import __version__

ROOT = Path(__file__).resolve().parents[2]

TESTS = "python3.11 -m venv .venv && .venv/bin/pip install -q -e '.[test]' && .venv/bin/pytest -n 3 --dist worksteal"
"""How README says that the tests are run."""


def text(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def test_ci_runs_the_tests_just_as_the_readme_says():
    assert TESTS in text("README.md")
    assert TESTS in text(".ci/run")


def test_the_image_gets_all_that_the_package_is_built_from_and_nothing_else():
    let_in = {line.removeprefix("!") for line in text(".dockerignore").splitlines() if line.startswith("!")}
    copied = {
        name
        for line in text("Dockerfile").splitlines()
        if line.startswith("COPY ") and "--from" not in line
        for name in line.split()[1:-1]
    }
    locks = {".ci/build.lock", ".ci/image.lock"}
    assert let_in == copied == {"app", "migrations", "pyproject.toml", "README.md", "LICENSE", *locks}


def test_nothing_is_installed_into_the_image_but_by_its_hash_or_from_here():
    steps = text("Dockerfile").replace("\\\n", " ").splitlines()
    installs = [
        part for line in steps if line.startswith("RUN ") for part in line.split("&&") if " install " in part
    ]
    pip = [part for part in installs if "/bin/pip " in part]
    assert len(pip) == 3
    assert all("--require-hashes" in part or ("--no-deps" in part and "--no-index" in part) for part in pip)


def test_ci_tests_with_the_locked_packages():
    assert "--require-hashes -r .ci/test.lock" in text(".ci/run")


def test_the_image_does_not_run_as_root():
    users = [line.split()[1] for line in text("Dockerfile").splitlines() if line.startswith("USER ")]
    assert users == ["10001:10001"]


def test_the_composed_register_waits_for_its_database_and_its_schema():
    services = yaml.safe_load(text("compose.yaml"))["services"]
    assert services["migrate"]["command"] == ["cekal", "migrate"]
    for name in ("register-1", "register-2"):
        assert services[name]["command"][:2] == ["cekal", "serve"]
        assert services[name]["depends_on"]["migrate"]["condition"] == "service_completed_successfully"
        assert services["proxy"]["depends_on"][name]["condition"] == "service_healthy"
    assert services["migrate"]["depends_on"]["database"]["condition"] == "service_healthy"
    assert all(service.get("healthcheck") for service in services.values())
    assert [name for name, service in services.items() if "ports" in service] == ["proxy"]
    assert all(port.startswith("127.0.0.1:") for port in services["proxy"]["ports"])


def test_the_proxy_of_the_composed_register_is_the_one_that_is_trusted_and_knows_all_processes():
    composed = yaml.safe_load(text("compose.yaml"))
    services = composed["services"]
    (network,) = composed["networks"]["default"]["ipam"]["config"]
    registers = [name for name in services if name.startswith("register-")]
    for name in registers:
        assert services[name]["environment"]["CEKAL_TRUSTED_PROXIES"] == network["subnet"]
    (mounted,) = services["proxy"]["volumes"]
    site = text(mounted.split(":")[0].removeprefix("./"))
    assert re.findall(r"^    server ([\w-]+):8000", site, re.MULTILINE) == registers
    (port,) = re.findall(r"listen (\d+);", site)
    assert services["proxy"]["ports"] == [f"127.0.0.1:8000:{port}"]


def test_every_file_that_names_the_version_names_the_same_one():
    released = re.findall(r"^## (\d+\.\d+\.\d+) \(20\d\d-\d\d-\d\d\)$", text("CHANGELOG.md"), re.MULTILINE)
    assert released[0] == __version__
    assert tomllib.loads(text("pyproject.toml"))["project"]["version"] == __version__
    assert json.loads(text("docs/openapi.json"))["info"]["version"] == __version__
    assert f"| {__version__.rpartition('.')[0]} | yes |" in text("SECURITY.md")


def test_the_source_archive_holds_every_document_of_the_first_page():
    archive = tomllib.loads(text("pyproject.toml"))["tool"]["hatch"]["build"]["targets"]["sdist"]["include"]
    assert {path.name for path in ROOT.glob("*.md")} <= set(archive)
