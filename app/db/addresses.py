"""Addresses of databases, as a deployment writes them and as the drivers need them."""

from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError


def driver_url(address: str) -> URL:
    """The SQLAlchemy URL, with its driver, of `sqlite:///path` or `postgresql://…`.

    Raises:
        ValueError: it is no such address, names another database than these two, or SQLite without a file.
    """
    try:
        url = make_url(address)
    except (ArgumentError, ValueError):  # whose messages may quote it
        raise ValueError("CEKAL_DATABASE_URL must be like sqlite:///path or postgresql://…/name") from None
    match url.get_backend_name():
        case "sqlite":
            if not url.database or url.database == ":memory:":
                raise ValueError("CEKAL_DATABASE_URL must name a file: sqlite:///path")
            return url.set(drivername="sqlite+pysqlite")
        case "postgresql" | "postgres":
            return url.set(drivername="postgresql+asyncpg")
        case other:
            raise ValueError(f"CEKAL_DATABASE_URL may be sqlite or postgresql, not {other}")


def libpq_address(url: URL) -> str:
    """A PostgreSQL server's address as libpq writes it, with its password and options such as `sslmode`."""
    return url.set(drivername="postgresql").render_as_string(hide_password=False)
