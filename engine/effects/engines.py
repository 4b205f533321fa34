"""Connections to the databases, but for the ledger, that jobs work in."""

from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import ExceptionContext, make_url
from sqlalchemy.exc import DBAPIError

_DRIVERS = {
    "sqlite": "sqlite",
    "postgresql": "postgresql+psycopg",
    "mysql": "mysql+pymysql",
    "mariadb": "mysql+pymysql",
}
_BUSY_SECONDS = 30.0
_IN_TRANSACTION = 1
# As PostgreSQL, MySQL and SQLite call it.
_FORBIDDEN = ("42501", 1044, 1142, 1143, "SQLITE_READONLY")


def make_engine(url: str) -> Engine:
    """Whose transactions see what is committed, and on SQLite take the write lock at once."""
    parsed = make_url(url)
    kind = parsed.get_backend_name()
    parsed = parsed.set(drivername=_DRIVERS[kind])
    if kind != "sqlite":
        engine = create_engine(parsed, isolation_level="READ COMMITTED", pool_pre_ping=True)
    else:
        engine = create_engine(parsed, connect_args={"timeout": _BUSY_SECONDS})
        event.listen(engine, "connect", _on_connect)
        event.listen(engine, "begin", _on_begin)
    event.listen(engine, "handle_error", _without_advice)
    return engine


def is_in_transaction(connection: Connection) -> bool:
    """Whether the database itself says so, whatever statements were sent by hand."""
    driver: Any = connection.connection.driver_connection
    if connection.dialect.name == "sqlite":
        return bool(driver.in_transaction)
    if connection.dialect.name == "postgresql":
        return driver.info.transaction_status.name in {"INTRANS", "INERROR"}
    return bool(driver.server_status & _IN_TRANSACTION)


def is_forbidden(error: DBAPIError) -> bool:
    """Whether the database says that whoever asks may not do so."""
    cause: Any = error.orig
    told = (getattr(cause, "sqlstate", None), getattr(cause, "sqlite_errorname", None))
    return any(each in _FORBIDDEN for each in (*told, *getattr(cause, "args", ())[:1]))


def _without_advice(context: ExceptionContext) -> None:
    # Where SQLAlchemy's own pages are helps nobody who reads why a run failed.
    if context.sqlalchemy_exception is not None:
        context.sqlalchemy_exception.code = None


def _on_connect(connection: Any, _record: Any) -> None:
    # The driver must not begin transactions by itself.
    connection.isolation_level = None


def _on_begin(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")
