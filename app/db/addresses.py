"""Addresses of databases: conversion from the form in a setting to the forms that drivers and logs need."""

from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError


def driver_url(address: str) -> URL:
    """Return the SQLAlchemy URL, with its driver, for `sqlite:///path` or `postgresql://…`.

    Raises:
        ValueError: the address is malformed, names another kind of database, or names SQLite without a file.
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


def shown_address(address: str) -> str:
    """Return an address without its password, for output that people read.

    Raises:
        ArgumentError, ValueError: the address is malformed; the message may quote it.
    """
    url = make_url(address)
    query = {name: value for name, value in url.query.items() if "password" not in name.lower()}
    return url.set(query=query).render_as_string(hide_password=True)


def libpq_address(url: URL) -> str:
    """Return a PostgreSQL server's address in libpq's form, with its password and options (`sslmode`, ...)."""
    return url.set(drivername="postgresql").render_as_string(hide_password=False)
