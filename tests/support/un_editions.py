"""Small editions of the UN list about invented persons."""

from pathlib import Path

GENERATED = "2026-05-04T19:03:54.942-05:00"


def individual(cells: str = "", *, data_id: str = "700001", name: str = "ALVAR") -> str:
    """Give an INDIVIDUAL with the usual cells and those of the test; the name is followed by TESTO."""
    return f"""<INDIVIDUAL>
      <DATAID>{data_id}</DATAID><VERSIONNUM>1</VERSIONNUM>
      <FIRST_NAME> {name} </FIRST_NAME><SECOND_NAME>TESTO</SECOND_NAME><THIRD_NAME/>
      <UN_LIST_TYPE>UTOPIA</UN_LIST_TYPE><REFERENCE_NUMBER>UTi.{data_id[-3:] or "001"} </REFERENCE_NUMBER>
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


def write(folder: Path, *individuals: str, generated: str = GENERATED, entities: str = "") -> Path:
    """Write an edition to a file of a folder."""
    path = folder / "list.xml"
    path.write_text(edition(*individuals, generated=generated, entities=entities), encoding="utf-8")
    return path


def passport(number: str = "LX123456", state: str = "New Zealand") -> str:
    """Give a cell with a passport."""
    return (
        "<INDIVIDUAL_DOCUMENT><TYPE_OF_DOCUMENT>Passport</TYPE_OF_DOCUMENT>"
        f"<NUMBER>{number}</NUMBER><ISSUING_COUNTRY>{state}</ISSUING_COUNTRY></INDIVIDUAL_DOCUMENT>"
    )


def national(*states: str) -> str:
    """Give a cell with nationalities."""
    return f"<NATIONALITY>{''.join(f'<VALUE>{state}</VALUE>' for state in states)}</NATIONALITY>"


def born(day: str) -> str:
    """Give a cell with a full birth date."""
    return f"<INDIVIDUAL_DATE_OF_BIRTH><DATE>{day}</DATE></INDIVIDUAL_DATE_OF_BIRTH>"


def alias(name: str, quality: str = "Good") -> str:
    """Give a cell with an alias."""
    return f"<INDIVIDUAL_ALIAS><QUALITY>{quality}</QUALITY><ALIAS_NAME>{name}</ALIAS_NAME></INDIVIDUAL_ALIAS>"
