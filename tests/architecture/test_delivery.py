"""What is delivered: the one command that README promises, the image, the package."""

from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[2]

TESTS = "python3.11 -m venv .venv && .venv/bin/pip install -q -e '.[test]' && .venv/bin/pytest -n 2"
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
    assert services["register"]["command"][:2] == ["cekal", "serve"]
    assert services["register"]["depends_on"]["migrate"]["condition"] == "service_completed_successfully"
    assert services["migrate"]["depends_on"]["database"]["condition"] == "service_healthy"
    assert all(service.get("healthcheck") for service in services.values())
    assert all(port.startswith("127.0.0.1:") for port in services["register"]["ports"])
