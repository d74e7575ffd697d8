"""Long work in short bursts, so that the event loop stays responsive: computations in a thread, or slices in the loop.

A computing thread holds Python's global interpreter lock, and the loop waits up to five milliseconds for it at each
step. Therefore only one thread computes at a time, for a few milliseconds, and then rests while the loop uses the
lock.
"""

import asyncio
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from threading import Lock
from typing import ParamSpec, TypeVar

BURST_SECONDS = 0.002
"""Seconds of work before a rest; an item that takes longer is finished first."""

REST_SECONDS = 0.004

PAUSE_SECONDS = 0.01
"""Pause between two slices of background work in the event loop; a slice takes some milliseconds."""

_turn = Lock()
_threads = ThreadPoolExecutor(8, thread_name_prefix="paced")
"""A separate pool of threads, so that photos and letters never wait for long lists."""

P = ParamSpec("P")
T = TypeVar("T")
U = TypeVar("U")


async def run_in_pool(act: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Call a function in a thread of the pool that is reserved for work with `paced`, and return its result."""
    return await asyncio.get_running_loop().run_in_executor(_threads, lambda: act(*args, **kwargs))


def paced(act: Callable[[T], U], things: Iterable[T]) -> list[U]:
    """Return the result of `act` for each of the things, in order, with a rest after every few milliseconds.

    This blocks: call it in a thread (see `run_in_pool`), not in the event loop.
    """
    done: list[U] = []
    left = iter(things)
    while True:
        with _turn:
            until = time.monotonic() + BURST_SECONDS
            for each in left:
                done.append(act(each))
                if time.monotonic() >= until:
                    break
            else:
                return done
        time.sleep(REST_SECONDS)


async def give_way() -> None:
    """Pause between two slices of background work in the event loop, so that checks and alerts are served meanwhile.

    With `asyncio.sleep(0)` every turn of the loop would contain a slice, and a check needs several turns.
    """
    await asyncio.sleep(PAUSE_SECONDS)
