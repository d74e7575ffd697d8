"""States named on the UN list: nationalities, issuers of documents, and remarks on unclear ones."""

import re
from typing import Final
from xml.etree.ElementTree import Element

from app.identity.states import INDONESIA, from_country_name
from app.register.lists.un_cells import Remark, cells

_ABBREVIATIONS: Final = {"CAR": "CAF", "RPDC": "PRK", "US": "USA", "PALESTINIAN AUTHORITY": "PSE"}
"""Short names that the list uses for an issuer; RPDC is French and Spanish for the DPRK."""

_LONGEST_NAME: Final = 8
"""Number of words in the longest name: "United Kingdom of Great Britain and Northern Ireland"."""

_BETWEEN_SENTENCES: Final = re.compile(r"[.;] +(?=[A-Z])")


def state_named(text: str) -> str | None:
    """Return the ICAO code of the state if the whole text is its name, nationality or short name; else None.

    Indonesia is returned only if the text begins with "Indones" or "Republic". Any other text, such as a city, may only
    say where a document was handed out.
    """
    name = text.strip(" .,:").removeprefix("the ")
    state = _ABBREVIATIONS.get(name.upper()) or from_country_name(name)
    return None if state == INDONESIA and not name.lower().startswith(("indones", "republic")) else state


def state_leading(text: str) -> str | None:
    """Return the ICAO code of the state with whose name or nationality a text begins; None if it begins with none.

    The longest name counts: "South Sudan passport" is SSD, not SDN. "Yemeni identity card number" is YEM, "Counterfeit
    Danish driving licence" is None.
    """
    words = text.split()
    for length in (len(words), *range(min(len(words), _LONGEST_NAME), 0, -1)):
        if state := state_named(" ".join(words[:length])):
            return state
    return None


def nationalities_of(person: Element) -> tuple[tuple[str, ...], tuple[Remark, ...]]:
    """Return the ICAO codes of the person's nationalities, each once, and remarks on statements that were left out.

    A nationality that has ended, is only supposed, or names no state is left out, with the remark
    `nationality_unclear`. Indonesia always counts, however doubtful, because a citizen must not be barred from entry
    (R4).
    """
    states: dict[str, None] = {}
    remarks = []
    for text in cells(person, "NATIONALITY/VALUE"):
        for statement in _BETWEEN_SENTENCES.split(text):
            if state := from_country_name(statement):
                states[state] = None
            else:
                remarks.append(Remark(code="nationality_unclear", detail=statement))
    return tuple(states), tuple(remarks)
