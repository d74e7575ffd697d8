"""The image's recipe, carried out without a container engine: its steps in an empty folder, then what it runs.

What only an engine can show is not shown here: the base image, the user without rights, the volume.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.cli import ROOT
from tests.support.processes import free_port

LONGEST = 400.0
"""Seconds that a step may take: one installs some thirty packages."""

Step = tuple[str, str]


def steps() -> Iterator[Step]:
    """The instructions of the Dockerfile, in order."""
    recipe = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    lines = [line for line in recipe.splitlines() if line and not line.startswith("#")]
    for line in re.split(r"\n(?=[A-Z])", re.sub(r"\s*\\\n\s*", " ", "\n".join(lines))):
        name, _, rest = line.partition(" ")
        yield name, rest.strip()


class Machine:
    """A folder that stands for the image's file system."""

    def __init__(self, root: Path) -> None:
        self.root = root
        kept = ("PATH", "HOME", "TMPDIR", "LANG")
        self.environment = {name: os.environ[name] for name in kept if name in os.environ}
        self.environment |= {name: value for name, value in os.environ.items() if name.startswith("PIP_")}
        (root / "bin").mkdir()
        (root / "bin" / "python").symlink_to(Path(sys.base_prefix) / "bin" / "python3.11")
        self.environment["PATH"] = f"{root / 'bin'}:{self.environment['PATH']}"
        self.folder = root

    def placed(self, text: str) -> str:
        """The image's paths as this machine has them."""
        return re.sub(r"(?<![\w.])/(src|srv|data)\b", lambda found: f"{self.root}/{found[1]}", text)

    def follow(self, name: str, rest: str) -> None:
        """Carry out an instruction."""
        match name:
            case "WORKDIR":
                self.folder = Path(self.placed(rest))
                self.folder.mkdir(parents=True, exist_ok=True)
            case "ENV":
                for pair in rest.split():
                    key, _, value = pair.partition("=")
                    self.environment[key] = self.placed(value).replace("$PATH", self.environment["PATH"])
            case "COPY" if not rest.startswith("--from"):
                self._copy(rest.split())
            case "RUN" if not rest.startswith("groupadd"):  # users are the engine's
                self.run("sh", "-e", "-c", self.placed(rest))

    def _copy(self, names: list[str]) -> None:
        into = self.folder / names[-1]
        for name in names[:-1]:
            source = ROOT / name
            if source.is_dir():
                shutil.copytree(source, into, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copyfile(source, into / source.name)

    def run(self, *command: str) -> str:
        """What a command says; it must succeed."""
        done = subprocess.run(
            command,
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=LONGEST,
            check=False,
        )
        assert done.returncode == 0, f"{command}\n{done.stdout[-2000:]}\n{done.stderr[-4000:]}"
        return done.stdout

    @contextmanager
    def running(self, *command: str) -> Iterator[None]:
        """A command that runs for the block's length and ends by itself when it is told to."""
        with (self.root / "log").open("ab") as log:
            process = subprocess.Popen(command, cwd=self.folder, env=self.environment, stdout=log, stderr=log)
        try:
            yield
            process.terminate()
            assert process.wait(30) == 0, (self.root / "log").read_text()
        finally:
            process.kill()


def test_the_steps_of_the_image_give_a_register_that_serves(tmp_path: Path):
    root = tmp_path.resolve()
    machine = Machine(root)
    (root / "data").mkdir(mode=0o700)
    recipe = list(steps())
    for name, rest in recipe:
        machine.follow(name, rest)
    assert machine.folder == root / "data"
    assert not list((root / "srv" / "cekal" / "bin").glob("pip*")), "nothing can be installed afterwards"
    assert not machine.environment.get("PYTHONPATH")
    where = machine.run("python", "-c", "import app; print(app.__file__)")
    assert where.startswith(str(root / "srv" / "cekal")), "the package is the installed one"
    assert "has schema" in machine.run("cekal", "migrate")
    made = json.loads(
        machine.run("cekal", "client", "create", "--role", "carrier", "--name", "airline", "--json")
    )
    assert made["key"].startswith("cekal_")
    command = json.loads(next(rest for name, rest in recipe if name == "CMD"))
    health = next(rest for name, rest in recipe if name == "HEALTHCHECK")
    port = str(free_port())
    probe = json.loads(health[health.index("[") :].replace(":8000", f":{port}"))
    assert probe[0] == "python"
    with machine.running(*command, "--port", port):
        until = time.monotonic() + 60
        while subprocess.run(probe, env=machine.environment, capture_output=True, check=False).returncode:
            assert time.monotonic() < until, (root / "log").read_text()
            time.sleep(0.2)
    files = {path.name: path.stat().st_mode & 0o777 for path in (root / "data").iterdir()}
    assert files.pop("key-pepper") == 0o600
    assert files.pop("signing-keys") == 0o700
    assert set(files.values()) == {0o600}, files
