"""Whether each connection to PostgreSQL is one session, which is what this service needs of it."""

from app.db.addresses import libpq_address
from app.db.database import Database
from app.db.lines import CONNECT_SECONDS

_ROUNDS = 5
_PID = "SELECT pg_backend_pid()"


class SessionsShared(RuntimeError):
    """A pool between here and PostgreSQL gives each transaction whatever session is free."""


async def require_sessions(database: Database) -> None:
    """Make sure that no pool hands sessions round, as PgBouncer does in transaction mode.

    Limits, prepared statements and LISTEN belong to a session. Without it limits hold for others, statements are
    missing and wake-ups never come: not at the start, but some time under load.

    Raises:
        SessionsShared: one does.
        OSError, asyncpg.PostgresError: PostgreSQL can't be reached.
    """
    if database.is_sqlite:
        return
    import asyncpg  # SQLite does without it

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
        if own == first.get_server_pid():  # a pool tells its own number
            return
        second = await connected()
        for _ in range(_ROUNDS):
            async with second.transaction():  # which keeps a session busy, so that the first gets another one
                if await second.fetchval(_PID) == own or await backend(first) != own:
                    raise SessionsShared(
                        "PostgreSQL is behind a pool that gives each transaction another session, such as PgBouncer "
                        "in transaction mode. Let it pool sessions (pool_mode = session), or connect directly."
                    )
    finally:
        first.terminate()
        if second is not None:
            second.terminate()
