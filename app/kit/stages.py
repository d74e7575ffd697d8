"""Types with which a long command reports its progress: stage by stage, each with its own unit."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Literal

Amount = Literal[
    "batches",
    "bytes",
    "clearances",
    "digests",
    "duties",
    "entries",
    "heads",
    "hits",
    "letters",
    "records",
    "rows",
]
ReportProgress = Callable[[int, int], None]
"""A function called with the amount done and the total amount; the total is 0 if it is not known."""

Stage = Callable[[str, Amount], AbstractContextManager[ReportProgress]]
"""A function that begins a stage, given a verb for its work and the unit that is counted."""
