"""Selection among too many candidates for one traveller by their births, before names are compared (no I/O).

A check with only a year of birth finds persons of any birth by words of the name, since the index stores no births with
most keys. Comparing a birth takes a fraction of the time of comparing a name, and nobody is stopped if the births
contradict each other. So candidates whose births allow a stop are compared first.
"""

from collections.abc import Callable

from app.identity.births import Birth
from app.matching.assessment import births_beside
from app.matching.persons import QueriedPerson
from app.matching.retrieval import LOOKED_AT, Candidates, Id
from app.matching.tiers import STOPPING


def thin(
    candidates: Candidates[Id],
    queried: QueriedPerson,
    births_of: Callable[[Id], tuple[Birth, ...]],
    limit: int,
) -> Candidates[Id]:
    """Return the candidates to compare, at most `limit`: first those whose birth date allows a stop, then the others.

    Both groups keep the order that they have in `candidates`. If `candidates.more` is empty, `candidates` is returned
    unchanged.

    Args:
        candidates: the ranked candidates; `more` has those beyond the limit.
        queried: the traveller.
        births_of: a function that returns the listed births of a candidate.
        limit: the largest number of candidates to compare.
    """
    if not candidates.more:
        return candidates
    fitting: list[Id] = []
    others: list[Id] = []
    looked_at = (*candidates.ids, *candidates.more)
    for candidate_id in looked_at:
        may_stop = births_beside(queried, births_of(candidate_id)).nearness in STOPPING
        (fitting if may_stop else others).append(candidate_id)
    return Candidates(
        ids=tuple((*fitting, *others)[:limit]),
        unlike=candidates.unlike,
        truncated=len(fitting) > limit or (candidates.truncated and len(looked_at) > limit * LOOKED_AT),
    )
