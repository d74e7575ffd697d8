"""A check that each connection to PostgreSQL is one server session, as this service needs."""

from app.db.addresses import libpq_address
from app.db.database import Database
from app.db.lines import CONNECT_SECONDS

_ROUNDS = 5
_PID = "SELECT pg_backend_pid()"


_REFUSAL = "pooling mode"
"""Part of the error with which PgBouncer ends the first transaction in statement mode."""


class SessionsShared(RuntimeError):
    """Raised at the start if a connection pooler gives each transaction another session of PostgreSQL."""

    def __init__(self) -> None:
        super().__init__(
            "PostgreSQL is behind a pool that gives each transaction another session, such as PgBouncer in transaction "
            "mode or statement mode. Let it pool sessions (pool_mode = session), or connect directly."
        )


async def require_sessions(database: Database) -> None:
    """Raise SessionsShared if a connection pooler shares sessions, as PgBouncer does in transaction mode.

    Limits, prepared statements and LISTEN belong to a session. With shared sessions, limits apply to other clients,
    prepared statements are missing and wake-ups are lost; this appears only later, under load. SQLite always passes.

    Raises:
        SessionsShared: a pooler shares sessions.
        OSError, asyncpg.PostgresError, asyncpg.InterfaceError: PostgreSQL can't be reached or queried.
    """
    if database.is_sqlite:
        return
    import asyncpg  # not needed with SQLite

    async def connected() -> asyncpg.Connection:
        address = libpq_address(database.url)
        return await asyncpg.connect(address, timeout=CONNECT_SECONDS, command_timeout=CONNECT_SECONDS)

    async def backend(connection: asyncpg.Connection) -> int:
        async with connection.transaction():
            return int(await connection.fetchval(_PID))

    first = await connected()
    second: asyncpg.Connection | None = None
    try:
        own = await backend(first)
        if own == first.get_server_pid():  # a pooler reports its own number
            return
        second = await connected()
        for _ in range(_ROUNDS):
            async with second.transaction():  # occupies a session: the first gets another one
                if await second.fetchval(_PID) == own or await backend(first) != own:
                    raise SessionsShared
    except (asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        if _REFUSAL in str(error):
            raise SessionsShared from None
        raise
    finally:
        first.terminate()
        if second is not None:
            second.terminate()
