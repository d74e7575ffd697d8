"""The delay of a carrier's answer: it depends on the request, so that the time reveals nothing about the result.

A carrier must not learn that a person may not leave the country. The content of the answer hides this (R48), and the
time of the answer must hide it too: comparing a passenger with an entry and storing the match takes longer than finding
no match. So an answer is sent after a multiple of a span that depends only on the number of documents. The span is
normally longer than the work.
"""

import asyncio
import math
from typing import Final

from app.border.manifests.domain import CARRIER
from app.runtime import Runtime

DOCUMENTS_A_STEP: Final = 100


def send_after(elapsed: float, documents: int, step: float) -> float:
    """Return the number of seconds after the request's arrival at which its answer must be sent.

    The result is the smallest multiple of a span that is not less than `elapsed`, and at least one span. The span is
    `step`, multiplied by the number of hundreds of documents, rounded up. For `step` 0 the result is `elapsed`.

    Args:
        elapsed: seconds since the request's arrival.
        documents: number of checked documents.
        step: seconds for each hundred documents; 0 for no delay.
    """
    span = step * max(1, math.ceil(documents / DOCUMENTS_A_STEP))
    return max(1, math.ceil(elapsed / span)) * span if span else elapsed


async def delay_answer(runtime: Runtime, kind: str, began: float, documents: int) -> None:
    """Wait until a carrier's answer may be sent; for other kinds of sender return at once.

    The wait keeps the time of a carrier's answer independent of the result.

    Args:
        runtime: the process's databases, clock and settings.
        kind: kind of the manifest's sender; only answers to a `carrier` wait.
        began: when the request arrived, in seconds of the event loop's clock.
        documents: number of checked documents, which decides the time of the answer (`send_after`).
    """
    if kind == CARRIER:
        now = asyncio.get_running_loop().time()
        step = runtime.settings.carrier_answer_ms / 1000
        await asyncio.sleep(send_after(now - began, documents, step) - (now - began))
