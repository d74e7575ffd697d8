"""Compiled statements that all engines of a test process share.

SQLAlchemy keeps the compiled form of a statement with the engine that ran it. A process of the service makes its
engines once; a test process makes new ones for every test, and compiled the same statements thousands of times,
for a third of its processor time.
"""

from typing import Any

from sqlalchemy import Connection, Engine, event
from sqlalchemy.engine.default import DefaultDialect
from sqlalchemy.util import LRUCache

_STATEMENTS = 5000


def share_compiled_statements() -> None:
    """Give all connections of one dialect one cache, in this process and from now on."""
    caches: dict[type, LRUCache[Any, Any]] = {}

    def use_shared(connection: Connection) -> None:
        cache = caches.setdefault(type(connection.dialect), LRUCache(_STATEMENTS))
        connection.execution_options(compiled_cache=cache)

    # the cache's keys hold the dialect: all of a kind must count as the same one
    DefaultDialect.__eq__ = lambda one, other: type(one) is type(other)  # type: ignore[assignment, method-assign]
    DefaultDialect.__hash__ = lambda one: hash(type(one))  # type: ignore[assignment, method-assign]
    event.listen(Engine, "engine_connect", use_shared)
