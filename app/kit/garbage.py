"""The search for circular garbage in a long-running process."""

import gc
from typing import Final

_THRESHOLD: Final = 20_000
"""Number of new objects between two searches; requests create almost no circular garbage."""


def defer_searches() -> None:
    """Search for no garbage until `keep_loaded_objects` is called.

    What a starting process imports and makes stays for good; to search it took a third of the start.
    """
    gc.disable()


def keep_loaded_objects() -> None:
    """Exempt all present objects from searches, and search from now on.

    To search what was imported again and again costs a tenth of the processor time of each check.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_THRESHOLD)
    gc.enable()
