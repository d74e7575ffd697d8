"""Small editions of the UN list about invented persons."""

from collections.abc import Callable
from pathlib import Path

import pytest

from app.lists.un import ListedPerson, UnList, read

GENERATED = "2026-05-04T19:03:54.942-05:00"


def individual(cells: str = "", *, data_id: str = "700001", name: str = "ALVAR") -> str:
    """Give an INDIVIDUAL with the usual cells and those of the test; the name is followed by TESTO."""
    return f"""<INDIVIDUAL>
      <DATAID>{data_id}</DATAID><VERSIONNUM>1</VERSIONNUM>
      <FIRST_NAME> {name} </FIRST_NAME><SECOND_NAME>TESTO</SECOND_NAME><THIRD_NAME/>
      <UN_LIST_TYPE>UTOPIA</UN_LIST_TYPE><REFERENCE_NUMBER>UTi.001 </REFERENCE_NUMBER>
      <LISTED_ON>2020-01-31-05:00</LISTED_ON>
      {cells}
    </INDIVIDUAL>"""


def edition(*individuals: str, generated: str = GENERATED, entities: str = "") -> str:
    """Give a whole edition as XML."""
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<CONSOLIDATED_LIST dateGenerated="{generated}">
  <INDIVIDUALS>{"".join(individuals)}</INDIVIDUALS>
  <ENTITIES>{entities}</ENTITIES>
</CONSOLIDATED_LIST>
"""


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
