"""The contracts at the end of pyproject.toml, and what importing may not do."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from importlinter.cli import lint_imports

ROOT = Path(__file__).resolve().parents[2]

_IMPORT_EVERYTHING = r"""
import gc, importlib, json, pkgutil, sys
from pathlib import Path

root = Path(sys.argv[1])
sys.path.insert(0, str(root))
acts, current = [], ""

ALWAYS = {
    "os.mkdir", "os.remove", "os.rename", "os.rmdir", "os.system", "socket.__new__", "socket.bind",
    "socket.connect", "socket.getaddrinfo", "sqlite3.connect", "subprocess.Popen", "tempfile.mkstemp",
}


def ours():
    frame = sys._getframe(2)
    while frame is not None:
        if Path(frame.f_code.co_filename).is_relative_to(root / "app"):
            return True
        frame = frame.f_back
    return False


def writes(event, args):
    if event != "open":
        return False
    _, mode, flags = args
    return bool(mode and set(mode) & set("wax+")) or bool(flags & 3)


def watch(event, args):
    if current and (event in ALWAYS or writes(event, args)) and ours():
        acts.append(f"{current}: {event} {args!r}")


import app

names = [found.name for found in pkgutil.walk_packages(app.__path__, "app.", onerror=lambda name: None)]
sys.addaudithook(watch)
for current in names:
    if current != "app.asgi":
        importlib.import_module(current)
current = ""

from app.settings import Settings

made = [type(thing).__name__ for thing in gc.get_objects() if isinstance(thing, Settings)]
print(json.dumps({"acts": acts, "settings": made, "modules": names}))
"""


def test_modules_import_only_what_the_house_allows(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(ROOT)
    code = lint_imports(config_filename=str(ROOT / "pyproject.toml"), no_cache=True)
    assert code == 0, capsys.readouterr().out


def test_importing_any_module_but_asgi_does_nothing(tmp_path: Path):
    """No file written, no socket, no database, no settings read: importing is free of consequences."""
    ended = subprocess.run(
        [sys.executable, "-B", "-W", "error", "-c", _IMPORT_EVERYTHING, str(ROOT)],
        cwd=tmp_path,
        env={"PYTHONHASHSEED": "0"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    told = json.loads(ended.stdout)
    assert "app.asgi" in told["modules"]
    assert told["acts"] == []
    assert told["settings"] == []
    assert list(tmp_path.iterdir()) == []
