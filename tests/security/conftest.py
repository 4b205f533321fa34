"""Ledgers as the store's own contract suite has them, and a home with an audited one."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.app import App, build_app
from engine.settings import Settings
from tests.builders.database import a_postgres_ledger
from tests.builders.postgres import PostgresServer

KEY = "a key of these tests that is long enough"


@pytest.fixture(params=["sqlite", "postgresql"])
def app(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[App]:
    """An engine with a key and a ledger of its own, on each kind of database."""
    url = "sqlite:///var/engine.db"
    if request.param == "postgresql":
        server: PostgresServer = request.getfixturevalue("postgres_server")
        url = a_postgres_ledger(server)
    settings = {"home": tmp_path, "database_url": url, "secret_key": KEY}
    app = build_app(Settings.model_validate(settings))
    yield app
    app.close()
