"""What tests may ask for.

A test that asks for `engine_url`, or for anything that stands on it (`settings`, `runtime`, `app`, `http`,
`actors`, `served`, …), runs twice: on SQLite and on PostgreSQL, each time in a fresh register.
`@pytest.mark.settings(question_days=1)` changes the deployment under test.
"""

import gc
import logging
import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from fastapi import FastAPI

from app.access.pepper import take_pepper
from app.main import create_app
from app.runtime import Runtime
from app.settings import Settings
from app.wiring import wired_runtime
from app.worker import Worker
from tests.support.actors import Actors, Caller
from tests.support.clock import SettableClock
from tests.support.compiled import share_compiled_statements
from tests.support.contract import watch
from tests.support.databases import ENGINES, PEPPER, SIGNING_KEYS, Run
from tests.support.lifespan import started
from tests.support.lock_order import watched
from tests.support.served import Served, client_for, serving

_RUN = pytest.StashKey[Run]()
_LONGEST = {
    "test_image",
    "test_bench_smoke",
    "test_random_cases",
    "test_demo",
    "test_readme_tour",
    "test_rolling",
    "test_schemathesis",
    "test_generated_clients",
}


def pytest_configure(config: pytest.Config) -> None:
    share_compiled_statements()
    config.addinivalue_line("markers", "settings(**values): settings of the deployment under test")
    given = getattr(config, "workerinput", None)
    config.stash[_RUN] = run = Run(Path(given["run"])) if given else Run.begin()
    os.environ[SIGNING_KEYS] = str(run.signing_keys)  # for commands that a test starts


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the modules with the longest tests first, so that no worker is alone with one of them at the end."""
    items.sort(key=lambda item: item.path.stem not in _LONGEST)


def pytest_collection_finish() -> None:
    """Keep the collected tests and all modules out of later searches for garbage, and make these rare."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000)


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Tell an xdist worker where the run's shared things lie."""
    node.workerinput["run"] = str(node.config.stash[_RUN].folder)


def pytest_unconfigure(config: pytest.Config) -> None:
    run = config.stash.get(_RUN, None)
    if run is not None and not hasattr(config, "workerinput"):
        run.end()


@pytest.fixture(scope="session")
def run(pytestconfig: pytest.Config) -> Run:
    """The run's templates and its PostgreSQL server, for tests that need databases of their own."""
    return pytestconfig.stash[_RUN]


@pytest.fixture(params=ENGINES)
def engine_url(request: pytest.FixtureRequest, run: Run) -> Iterator[str]:
    """The address of a fresh register: migrated, with its reference data."""
    with run.sqlite() if request.param == "sqlite" else run.postgresql() as url:
        yield url


@pytest.fixture
def sqlite_url(run: Run) -> Iterator[str]:
    """The address of a fresh register on SQLite, for what has nothing to do with the engine."""
    with run.sqlite() as url:
        yield url


@pytest.fixture
def clock() -> SettableClock:
    """The register's time: 2026-11-23T03:00:00Z, ten in the morning in Jakarta, until the test moves it."""
    return SettableClock()


@pytest.fixture
def settings(
    request: pytest.FixtureRequest, engine_url: str, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Settings:
    """The deployment under test: the defaults, and what the test's `settings` marks say."""
    for name in Settings.model_fields:
        monkeypatch.delenv(f"CEKAL_{name.upper()}", raising=False)
    given: dict[str, Any] = {
        "env": "test",
        "database_url": engine_url,
        "data_dir": tmp_path,
        "key_pepper": PEPPER,
        "signing_keys": run.signing_keys,
        "poll_seconds": 0.1,
        "readiness_seconds": 0.0001,
        "carrier_answer_ms": 0,
        "letter_wait_seconds": 0,
        "daily_drill": False,
    }
    for mark in reversed(list(request.node.iter_markers("settings"))):
        given |= mark.kwargs
    return Settings(**given)


@pytest.fixture
async def runtime(settings: Settings, clock: SettableClock) -> AsyncIterator[Runtime]:
    """Another process, as it were, on the same register: for use cases without HTTP."""
    opened = wired_runtime(settings, clock)
    await take_pepper(opened)
    yield opened
    await opened.close()


@pytest.fixture
async def processes(settings: Settings, clock: SettableClock) -> AsyncIterator[list[Runtime]]:
    """Three processes, as it were, on one register."""
    opened = [wired_runtime(settings, clock) for _ in range(3)]
    yield opened
    for runtime in opened:
        await runtime.close()


@pytest.fixture
def actors(runtime: Runtime) -> Actors:
    """Makes officers and machines with keys: `await actors.client("submitter")`."""
    return Actors(runtime)


@pytest.fixture
async def counter(actors: Actors) -> Caller:
    """A counter of a checkpoint: CGK."""
    return await actors.client("checkpoint")


@pytest.fixture
async def desk(actors: Actors) -> Caller:
    """A client that asks about the passengers of manifests for a checkpoint: DPS."""
    return await actors.client("checkpoint", checkpoint="DPS", kind="manifest")


@pytest.fixture
async def carrier(actors: Actors) -> Caller:
    """An airline."""
    return await actors.client("carrier")


@pytest.fixture
async def owner(actors: Actors) -> Caller:
    """A submitter of the agency whose entries tests make unless they say otherwise: KPK."""
    return await actors.client("submitter")


@pytest.fixture
async def auditor(actors: Actors) -> Caller:
    """Somebody who reads everything and changes nothing."""
    return await actors.client("auditor")


@pytest.fixture
async def app(settings: Settings, clock: SettableClock) -> AsyncIterator[FastAPI]:
    """The application, started; its worker's loops stand still (see `worker`)."""
    application = create_app(settings, clock, work=False)
    async with started(application):
        yield application


@pytest.fixture
def worker(app: FastAPI) -> Worker:
    """The loops that own time, each to be run once by hand: `await worker.end_by_law()`."""
    return Worker(app.state.process.runtime)


@pytest.fixture
async def http(app: FastAPI) -> AsyncIterator[httpx2.AsyncClient]:
    """A client of the application; every answer is held against the OpenAPI document."""
    transport = httpx2.ASGITransport(app)
    async with watch(httpx2.AsyncClient(transport=transport, base_url="http://testserver")) as client:
        yield client


@pytest.fixture
async def served(settings: Settings, clock: SettableClock) -> AsyncIterator[Served]:
    """The application behind a real server on a real port, with the worker's loops running."""
    application = create_app(settings, clock)
    with serving(application) as url:
        async with client_for(url) as client:
            yield Served(url, application, client)


@pytest.fixture(autouse=True)
def locks_in_order(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Fail a test in which a transaction locks rows after the locks that every transaction needs."""
    with watched(monkeypatch) as faults:
        yield
    assert not faults, "\n".join(sorted(set(faults)))


@pytest.fixture(autouse=True)
def _logging_as_it_was() -> Iterator[None]:
    """Put logging back: a command that runs in this process configures it for itself."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    known = {name: logging.getLogger(name) for name in root.manager.loggerDict}
    before = {name: (each.level, each.propagate, each.disabled) for name, each in known.items()}
    yield
    root.handlers[:], root.level = handlers, level
    for name, (its_level, propagate, disabled) in before.items():
        known[name].setLevel(its_level)
        known[name].propagate, known[name].disabled = propagate, disabled
