"""What a verification of the register finds."""

from typing import NamedTuple


class Difference(NamedTuple):
    """A contradiction between two stored facts.

    Attributes:
        where: the table and the row: "ledger_record 17".
        what: the contradiction in English, without personal data.
    """

    where: str
    what: str
