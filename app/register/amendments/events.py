"""Events of amendments: a judgment was filed, or Immigration refused an amendment. Other packages subscribe to them."""

from dataclasses import dataclass

from app.register.amendments.domain import Amendment


@dataclass(frozen=True, slots=True)
class JudgmentFiled:
    """A body that does not own the entry has filed a judgment.

    A `referred` amendment (an acquittal of only some charges) only asks the owner to end the entries. Any other one
    ends them when it is approved.

    Attributes:
        amendment: the amendment, with the ids of the entries that it would end.
    """

    amendment: Amendment


@dataclass(frozen=True, slots=True)
class AmendmentRefused:
    """Immigration has rejected or returned an amendment that the entry's owner had filed and verified.

    Attributes:
        amendment: the amendment after the refusal; its last step contains the reason.
    """

    amendment: Amendment
