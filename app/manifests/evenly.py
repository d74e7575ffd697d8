"""When a carrier's answer leaves: by what was sent, never by what was found.

A carrier is not to learn that a person may not leave the country: its answer hides that (R48), and so must the
answer's time. To compare a passenger with an entry, and to store the match, takes longer than to find nobody. So an
answer leaves at a whole multiple of a time that only the number of documents sets, which is longer than the work
for them takes on a machine that keeps up.
"""

import asyncio
import math
from typing import Final

from app.manifests.domain import CARRIER
from app.runtime import Runtime

DOCUMENTS_A_STEP: Final = 100


def leaves_after(elapsed: float, documents: int, step: float) -> float:
    """Seconds after the request's arrival at which an answer leaves.

    Args:
        elapsed: seconds that the work took.
        documents: how many were asked about.
        step: seconds for each hundred of them, begun ones included.
    """
    span = step * max(1, math.ceil(documents / DOCUMENTS_A_STEP))
    return max(1, math.ceil(elapsed / span)) * span if span else elapsed


async def leave_evenly(runtime: Runtime, kind: str, began: float, documents: int) -> None:
    """Wait until an answer may leave; only a carrier's waits.

    Args:
        runtime: the process.
        kind: as what the client asks.
        began: when its request arrived, by the event loop's clock.
        documents: how many were asked about.
    """
    if kind == CARRIER:
        now = asyncio.get_running_loop().time()
        step = runtime.settings.carrier_answer_ms / 1000
        await asyncio.sleep(leaves_after(now - began, documents, step) - (now - began))
