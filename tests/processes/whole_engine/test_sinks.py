"""What is planted by hand is found, wherever and in whatever form it is kept."""

import base64
import gzip
import sqlite3
from collections.abc import Callable, Mapping
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote

import psycopg
import pytest
import redis
import xlsxwriter

from engine.exporters.document import Column, Document, Table
from engine.exporters.formats import exporters_with
from tests.builders.canaries import Aviary, Search
from tests.builders.database import a_postgres_ledger
from tests.builders.postgres import PostgresServer
from tests.builders.redis import RedisServer
from tests.builders.sinks import files_of, rows_of_postgres, values_of_redis

pytestmark = pytest.mark.process


def _write_a_workbook(file: Path, said: str) -> None:
    with xlsxwriter.Workbook(file) as book:
        book.add_worksheet().write("C4", said)


def _write_a_page(file: Path, said: str) -> None:
    rows = [[each] for each in said.split(" | ")]
    table = Table(name="t", title="T", columns=[Column(name="a", title="A")], rows=rows)
    document = Document(title="Page", made_at=datetime(2026, 11, 24, tzinfo=UTC), tables=[table])
    with file.open("wb") as target:
        exporters_with(file.parent)["pdf"].write(document, target)


def _write_a_table(file: Path, said: str) -> None:
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.execute("CREATE TABLE told (words)")
        connection.execute("INSERT INTO told VALUES (?)", (said.encode("utf-16-le"),))


_PLANTED_BY_HAND: Mapping[str, Callable[[Path, str], object]] = {
    "a file": lambda file, said: file.write_text(f"x\n{said}"),
    "UTF-16": lambda file, said: file.write_text(f"x{said}", encoding="utf-16"),
    "base64": lambda file, said: file.write_bytes(base64.b64encode(f"x{said}y".encode())),
    "a URL": lambda file, said: file.write_text(f"/pay?for={quote(said, safe='')}"),
    "gzip": lambda file, said: file.write_bytes(gzip.compress(said.encode())),
    "a workbook": _write_a_workbook,
    "a page": _write_a_page,
    "a table": _write_a_table,
}


@pytest.mark.parametrize("plant", _PLANTED_BY_HAND.values(), ids=_PLANTED_BY_HAND.keys())
def test_one_that_is_planted_by_hand_is_found_in_a_file(
    plant: Callable[[Path, str], object], tmp_path: Path
) -> None:
    aviary = Aviary()
    said = " | ".join(aviary.of_every_kind("hand"))
    plant(tmp_path / "kept", said)
    search = Search(aviary.canaries)
    found = {each for _, data in files_of(tmp_path) for each in search.found_in(data)}
    assert found == {*aviary.canaries}
    assert list(files_of(tmp_path, entrances=[tmp_path / "kept"])) == []


def test_one_that_is_planted_by_hand_is_found_on_a_server(
    own_redis: RedisServer, postgres_server: PostgresServer
) -> None:
    canary = Aviary().new("token", "hand")
    with closing(redis.Redis.from_url(own_redis.url.replace("/0", "/7"))) as client:
        client.hset("h", "field", canary.said)
        client.rpush("l", canary.said)
        client.zadd(f"z{canary.secret}", {"a": 1})
    url = a_postgres_ledger(postgres_server)
    with psycopg.connect(url) as connection:
        connection.execute("CREATE SCHEMA other")
        connection.execute("CREATE TABLE other.told (words text)")
        # Long enough to be compressed, and kept elsewhere.
        words = canary.said + "x" * 100_000
        connection.execute("INSERT INTO other.told VALUES (%s)", (words,))
    search = Search([canary])
    found = [search.found_in(data) for _, data in values_of_redis(own_redis.url)]
    assert found == [[canary]] * 3
    found = [search.found_in(data) for _, data in rows_of_postgres(url)]
    assert found.count([canary]) == 1
