"""Heads that tests sign where no worker's loop runs."""

from app.worker import Worker
from tests.support.actors import Actors


async def sign_head(actors: Actors) -> None:
    """Sign the ledger's head, if it is new or old, as the worker of another process does."""
    await Worker(actors._runtime).sign_head()
