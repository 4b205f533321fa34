"""Sinks: all that is kept anywhere of what a home's processes were told, found by walking."""

import gzip
import io
import sqlite3
import zipfile
import zlib
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import psycopg
import pypdf
import redis
from psycopg import sql

Sink = tuple[str, bytes]


def files_of(folder: Path, *, entrances: Collection[Path] = ()) -> Iterator[Sink]:
    """Every file below the folder, and what is packed in it; not the `entrances`."""
    for file in sorted(folder.rglob("*")):
        if file.is_file() and file not in entrances:
            name = str(file.relative_to(folder))
            data = file.read_bytes()
            yield name, data
            yield from _unpacked(name, data)
            if data.startswith(b"SQLite format 3"):
                yield from _rows_of_sqlite(name, file)


def rows_of_postgres(url: str) -> Iterator[Sink]:
    """Every row of every table of a database."""
    tables = (
        "SELECT table_schema, table_name FROM information_schema.tables WHERE table_type = "
        "'BASE TABLE' AND table_schema NOT IN ('pg_catalog', 'information_schema')"
    )
    with psycopg.connect(url) as connection:
        for schema, table in connection.execute(tables).fetchall():
            query = sql.SQL("SELECT t::text FROM {} t").format(sql.Identifier(schema, table))
            for (row,) in connection.execute(query):
                yield f"postgresql {schema}.{table}", row.encode()


def values_of_redis(url: str) -> Iterator[Sink]:
    """Every key of every database of a Redis, and its value."""
    for number in range(16):
        with closing(redis.Redis.from_url(f"{url.rpartition('/')[0]}/{number}")) as client:
            for key in client.scan_iter():
                yield f"redis {number} {key!r}", key + b"\n" + _value_of(client, key)


def _value_of(client: Any, key: bytes) -> bytes:
    readers: Mapping[bytes, Callable[[], Any]] = {
        b"string": lambda: client.get(key),
        b"list": lambda: client.lrange(key, 0, -1),
        b"set": lambda: client.smembers(key),
        b"zset": lambda: client.zrange(key, 0, -1),
        b"hash": lambda: client.hgetall(key),
        b"stream": lambda: client.xrange(key),
    }
    return _flat(readers[client.type(key)]())


def _flat(value: Any) -> bytes:
    if isinstance(value, bytes):
        return value
    if isinstance(value, dict):
        value = [*value, *value.values()]
    if isinstance(value, (list, tuple, set)):
        return b"\n".join(map(_flat, value))
    return str(value).encode()


def _rows_of_sqlite(name: str, file: Path) -> Iterator[Sink]:
    with closing(sqlite3.connect(file)) as connection:
        query = "SELECT name FROM sqlite_master WHERE type = 'table'"
        for (table,) in connection.execute(query).fetchall():
            for row in connection.execute(f'SELECT * FROM "{table}"'):  # noqa: S608 - its own name
                cells = [each if isinstance(each, bytes) else str(each).encode() for each in row]
                yield f"{name}:{table}", b"\n".join(cells)


def _unpacked(name: str, data: bytes) -> Iterator[Sink]:
    """What is in a workbook or another archive, in a page and in what is compressed."""
    if data.startswith(b"PK"):
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            for each in archive.namelist():
                yield f"{name}!{each}", archive.read(each)
                yield from _unpacked(f"{name}!{each}", archive.read(each))
    elif data.startswith(b"%PDF"):
        reader = pypdf.PdfReader(io.BytesIO(data))
        yield f"{name} told", str(reader.metadata).encode()
        for page in reader.pages:
            text = page.extract_text()
            # A line's end may be in the middle of anything.
            yield f"{name} page", f"{text}\n{''.join(text.split())}".encode()
    elif data.startswith(b"\x1f\x8b"):
        yield f"{name} unpacked", gzip.decompress(data)
    elif data.startswith(b"\x78"):
        with suppress(zlib.error):
            yield f"{name} unpacked", zlib.decompress(data)
