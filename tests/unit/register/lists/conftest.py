"""Reading small editions of the UN list about invented persons."""

from collections.abc import Callable
from pathlib import Path

import pytest

from app.register.lists.un import ListedPerson, UnList, read
from tests.support.un_editions import edition, individual


@pytest.fixture
def read_text(tmp_path: Path) -> Callable[[str], UnList]:
    """Read an edition given as text."""

    def reader(text: str) -> UnList:
        path = tmp_path / "list.xml"
        path.write_text(text, encoding="utf-8")
        return read(path)

    return reader


@pytest.fixture
def listed(read_text: Callable[[str], UnList]) -> Callable[[str], ListedPerson]:
    """Read the one person whose cells are given."""

    def reader(cells: str) -> ListedPerson:
        (person,) = read_text(edition(individual(cells))).persons
        return person

    return reader


@pytest.fixture
def make_individual() -> Callable[..., str]:
    """Hand out the maker of an INDIVIDUAL."""
    return individual


@pytest.fixture
def make_edition() -> Callable[..., str]:
    """Hand out the maker of an edition."""
    return edition
