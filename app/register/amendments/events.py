"""Events of amendments, to which other packages subscribe."""

from dataclasses import dataclass

from app.register.amendments.domain import Amendment


@dataclass(frozen=True, slots=True)
class JudgmentFiled:
    """A body that does not own the entry has filed a judgment that would end entries of the owner.

    Attributes:
        amendment: the amendment, with the entries that it would end.
    """

    amendment: Amendment


@dataclass(frozen=True, slots=True)
class AmendmentRefused:
    """Immigration has rejected or returned an amendment of the entry's owner.

    Attributes:
        amendment: the amendment after the refusal; its last step contains the reason.
    """

    amendment: Amendment
