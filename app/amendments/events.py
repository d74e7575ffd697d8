"""What happens with amendments that others have to know of."""

from dataclasses import dataclass

from app.amendments.domain import Amendment


@dataclass(frozen=True, slots=True)
class JudgmentFiled:
    """Another body than the owner has filed a judgment that would end entries of the owner.

    Attributes:
        amendment: with the entries that it would end.
    """

    amendment: Amendment


@dataclass(frozen=True, slots=True)
class AmendmentRefused:
    """Immigration has rejected or returned what the owner of the entry asked for.

    Attributes:
        amendment: as it is since then; its last step has the reason.
    """

    amendment: Amendment
