"""Clients that others' tools make of the committed document, type-checked, each through a day at a running service.

The tools live in environments of their own, made by their lock files: openapi-python-client asks for an older Typer
than `cekal` does. Where they can't be had, the test says why it is skipped.
"""

import asyncio
import json
import os
import shutil
import sys
import venv
from pathlib import Path
from typing import Any

import pytest

from tests.support.actors import Actors, Caller
from tests.support.served import Served
from tests.support.tools import CLIENTS, DOCUMENT, fetched, run

A_DAY = {
    "tasks_before": 0,
    "alert": True,
    "receipt": "acknowledged",
    "countersigned": True,
    "actions": ["refer_to_supervisor", "refuse_exit"],
    "same_answer": True,
    "polled": 2,
    "acknowledged": 1,
    "found": [True],
    "state": "provisional",
    "history": ["submitted_urgently", "countersigned"],
    "photo": "89504e47",
}
"""What either client has seen at the end of the day; the photo is a PNG."""


@pytest.fixture(scope="module")
def python_client(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The Python that runs the generated client, and the folder in which the client and its day are."""
    folder = tmp_path_factory.mktemp("python")
    environment = folder / "venv"
    venv.create(environment, with_pip=True)
    programs = environment / ("Scripts" if sys.platform == "win32" else "bin")
    python, lock = programs / "python", CLIENTS / "python" / "requirements.lock"
    install = (python, "-m", "pip", "install", "-q", "--require-hashes", "-r", lock)
    fetched("openapi-python-client", *install, cwd=folder)
    run(
        *(programs / "openapi-python-client", "generate", "--fail-on-warning", "--meta", "none"),
        *("--path", DOCUMENT, "--config", CLIENTS / "python" / "generator.yaml"),
        *("--output-path", folder / "cekal_client"),
        cwd=folder,
        PATH=f"{programs}{os.pathsep}{os.environ['PATH']}",
    )
    shutil.copy(CLIENTS / "python" / "day.py", folder)
    return python, folder


@pytest.fixture
async def given(served: Served, actors: Actors, owner: Caller, counter: Caller) -> str:
    """What a day begins with: the service, the keys, and bodies that the document gives as examples."""
    paths: dict[str, Any] = json.loads(DOCUMENT.read_text(encoding="utf-8"))["paths"]

    def example(path: str, name: str) -> Any:
        content = paths[path]["post"]["requestBody"]["content"]["application/json"]
        return content["examples"][name]["value"]

    urgent = example("/v1/urgent-entries", "hold")
    document = urgent["subject"]["documents"][0]
    paper = {"number": document["number"], "issuing_state": document["issuing_state"]}
    duty = await actors.client("duty_officer")
    return json.dumps(
        {
            "url": served.url,
            "keys": {"officer": owner.key, "duty": duty.key, "counter": counter.key},
            "urgent": urgent,
            "check": {**example("/v1/checks", "document"), "document": paper, "person": None},
            "search": {"document": document["number"]},
        }
    )


async def test_a_day_with_the_python_client(python_client: tuple[Path, Path], given: str):
    python, folder = python_client
    told = await asyncio.to_thread(run, python, "day.py", cwd=folder, given=given)
    assert json.loads(told) == A_DAY


async def test_a_day_with_the_typescript_client(typescript_client: Path, given: str):
    told = await asyncio.to_thread(run, "node", "out/day.js", cwd=typescript_client, given=given)
    assert json.loads(told) == A_DAY


def test_the_python_clients_day_is_typed(python_client: tuple[Path, Path]):
    python, folder = python_client
    run(
        *(sys.executable, "-m", "mypy", "--strict", "--follow-imports=silent"),
        *("--config-file", os.devnull, "--python-executable", python, "day.py"),
        cwd=folder,
        MYPYPATH=str(folder),
    )


def test_the_python_client_has_lost_nothing(python_client: tuple[Path, Path]):
    document = json.loads(DOCUMENT.read_text(encoding="utf-8"))
    calls = {operation["operationId"] for item in document["paths"].values() for operation in item.values()}
    package = python_client[1] / "cekal_client"
    made = {path.stem for path in (package / "api").glob("*/*.py")} - {"__init__"}
    assert made == calls
    models = (package / "models" / "__init__.py").read_text(encoding="utf-8")
    wanted = {name for name, each in document["components"]["schemas"].items() if each["type"] == "object"}
    assert {name for name in wanted if f'"{name}"' not in models} == set()
