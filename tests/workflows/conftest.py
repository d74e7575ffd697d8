"""What several tests of whole processes share."""

import shutil
from pathlib import Path

import pytest

from tests.support.tools import CLIENTS, DOCUMENT, EXAMPLES, fetched, run


@pytest.fixture(scope="session")
def typescript_client(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder in which the compiled clients are, in `out`; the compiler has checked them against the document."""
    if shutil.which("npm") is None or shutil.which("node") is None:
        pytest.skip("node and npm are not installed")
    folder = tmp_path_factory.mktemp("typescript")
    shutil.copytree(CLIENTS / "typescript", folder, dirs_exist_ok=True)
    for example in ("checkpoint.ts", "integrator.ts"):
        shutil.copy(EXAMPLES / example, folder)
    fetched("openapi-typescript", "npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", cwd=folder)
    tools = folder / "node_modules" / ".bin"
    run(tools / "openapi-typescript", DOCUMENT, "-o", folder / "schema.d.ts", cwd=folder)
    run(tools / "tsc", cwd=folder)
    return folder
