"""What a verification of the register finds."""

from typing import NamedTuple


class Difference(NamedTuple):
    """A contradiction between two stored facts.

    Attributes:
        where: the table and the row, such as `ledger_record 17`.
        what: what contradicts what, without personal data.
    """

    where: str
    what: str
