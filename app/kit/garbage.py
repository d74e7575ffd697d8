"""The search for circular garbage in a long-running process."""

import gc
from typing import Final

_THRESHOLD: Final = 20_000
"""Number of new objects between two searches; requests create almost no circular garbage."""


def defer_searches() -> None:
    """Switch Python's garbage collection off until `keep_loaded_objects` is called.

    Use it while a process starts: the objects that it then makes are never garbage, and the collector's searches
    through them would take a third of the start.
    """
    gc.disable()


def keep_loaded_objects() -> None:
    """Exempt all present objects from Python's garbage collection, and switch it on.

    Searching the imported objects again and again costs a tenth of the processor time of each check, and of an import.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_THRESHOLD)
    gc.enable()
