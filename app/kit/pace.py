"""Long work beside the event loop, in bursts.

A thread that computes holds Python's lock, and the loop waits up to five milliseconds for it at each of its steps.
So long work is done a few milliseconds at a time, by one thread of all, with a rest in which the loop has the lock
for itself.
"""

import asyncio
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from threading import Lock
from typing import ParamSpec, TypeVar

BURST_SECONDS = 0.002
"""How long work goes on before it rests; one thing that takes longer is finished."""

REST_SECONDS = 0.001

_turn = Lock()
_threads = ThreadPoolExecutor(8, thread_name_prefix="paced")
"""Threads of its own: photos and letters never wait for long lists."""

P = ParamSpec("P")
T = TypeVar("T")
U = TypeVar("U")


async def beside(act: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Call a function in a thread that is kept for work with `paced`."""
    return await asyncio.get_running_loop().run_in_executor(_threads, lambda: act(*args, **kwargs))


def paced(act: Callable[[T], U], things: Iterable[T]) -> list[U]:
    """Call a function with each of many things, resting after every few milliseconds; only in a thread."""
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
