"""What workflow tests may ask for besides."""

from collections.abc import Iterator

import pytest

from tests.support.databases import Run


@pytest.fixture
def sqlite_url(run: Run) -> Iterator[str]:
    """The address of a fresh register on SQLite, for what has nothing to do with the engine."""
    with run.sqlite() as url:
        yield url
