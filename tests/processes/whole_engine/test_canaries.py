"""Canaries: a secret of every kind comes in by every entrance, and none is kept anywhere."""

import base64
import gzip
import json
import sqlite3
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from shutil import copyfile
from urllib.parse import quote

import psycopg
import pytest
import redis
import xlsxwriter

from engine.exporters.document import Column, Document, Table
from engine.exporters.formats import exporters_with
from engine.states import RunState
from engine.store.run import Run
from tests.builders.canaries import Aviary, Canary, Search
from tests.builders.canteen import Canteen
from tests.builders.database import a_postgres_ledger
from tests.builders.home import Home
from tests.builders.postgres import PostgresServer
from tests.builders.redis import RedisServer
from tests.builders.sinks import Sink, files_of, rows_of_postgres, values_of_redis
from tests.processes.waiting import until

pytestmark = pytest.mark.process

_JOBS = Path(__file__).with_name("leaks.py")
# What the jobs of `leaks` are told, beside their parameters.
_SAID = (
    *("stdout", "stderr", "subprocess", "command", "records", "notes", "answers", "sql", "effects"),
    *("results", "causes", "exceptions", "last words", "thread"),
)
# How the first run of each job ends.
_ENDS = {
    "slip": RunState.SUCCEEDED,
    "slip_in_a_thread": RunState.SUCCEEDED,
    "reconcile_wallets": RunState.SUCCEEDED,
    "slip_and_fail": RunState.FAILED,
    "slip_and_die": RunState.FAILED,
}
_SCHEDULES = """
schedules:
  slipping:
    job: slip
    every: 5s
    missed: skip
    overlap: skip
    params: {params}
"""


class Leaky(Home):
    """A home whose jobs let slip what they are told, with canaries at every entrance."""

    def __init__(self, folder: Path, outside: Path, *servers: str) -> None:
        queue_url, database_url = servers or ("sqlite:///var/queue.db", None)
        super().__init__(folder, queue_url, database_url)
        copyfile(_JOBS, folder / "jobs" / "leaks.py")
        self.aviary = Aviary()
        self.outside = outside
        self.heard: list[Sink] = []

    def plant(self) -> None:
        """A canary of every kind at every entrance that is no command's."""
        plants = {each: self.aviary.of_every_kind(each) for each in _SAID}
        plants["locals"] = [self._secret(kind, "locals") for kind in ("password", "e-mail", "card")]
        file = self.outside / "plants.json"
        file.write_text(json.dumps(plants))
        self.answers = plants["answers"]
        self.more |= {"PLANTS": str(file), "SHOP_PASSWORD": self._secret("password", "environment")}
        self.more |= {
            f"SAID_{number}": said
            for number, said in enumerate(self.aviary.of_every_kind("environment"))
        }
        url = f"postgresql://me:{self._secret('password', 'a URL')}@127.0.0.1:1/bank"
        self.more["ENGINE_SOURCES__BANK"] = url
        (self.folder / ".env").write_text(
            f"ENGINE_SECRET_VAR_BANK={self._secret('password', '.env')}\n"
            f"GATEWAY_API_KEY={self._secret('api key', '.env')}\n"
        )
        facts = {
            "pin": int(self.aviary.number("schedules.yaml").secret),
            "to": self.aviary.of_every_kind("schedules.yaml"),
        }
        params = json.dumps({**self.params("schedules.yaml"), "facts": facts})
        (self.folder / "schedules.yaml").write_text(_SCHEDULES.format(params=params))
        self._plant_in_a_source()

    def params(self, entrance: str) -> dict[str, object]:
        """Parameters of `slip`."""
        return {
            "notes": "\n".join(self.aviary.of_every_kind(entrance)),
            "password": self._secret("password", entrance),
            "contact": f"Noura, {self._secret('abroad', entrance)}",
            "key_of_bank": "${secret:BANK}",
            "pin": int(self.aviary.number(entrance).secret),
        }

    def tell(self, *arguments: str) -> int:
        """Run a command, whose output is a sink; its exit code."""
        done = self.run(*arguments)
        name = f"engine {' '.join(arguments[:2])}"
        self.heard.append((name, (done.stdout + done.stderr).encode()))
        return done.returncode

    def said_at_once(self, entrance: str) -> str:
        """One text with a canary of every kind."""
        return " | ".join(self.aviary.of_every_kind(entrance))

    @property
    def entrances(self) -> list[Path]:
        """The files that people write secrets into."""
        names = ("schedules.yaml", ".env", "reconciliations/wallets.yaml")
        return [self.folder / name for name in names]

    def _secret(self, kind: str, entrance: str) -> str:
        return self.aviary.new(kind, entrance).secret

    def _plant_in_a_source(self) -> None:
        canteen = Canteen(self.outside)
        said = self.aviary.of_every_kind("source")
        canteen.wallets(*((number, each, 0) for number, each in enumerate(said)))
        title = f"title: Wallets {self.aviary.new('e-mail', 'reconciliation').said}"
        canteen.define(change=lambda text: text.replace("title: Wallets", title))
        self.more["ENGINE_SOURCES__CANTEEN"] = f"sqlite:///{canteen.path}"
        (self.folder / "reconciliations").mkdir()
        copyfile(self.outside / "reconciliations" / "wallets.yaml", self.entrances[-1])


@pytest.mark.parametrize("kind", ["files", "servers"])
def test_of_all_canaries_none_is_kept_anywhere(
    kind: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    servers: list[str] = []
    tables = ("engine.db:log_lines", "engine.db:audit_entries", "queue.db:")
    if kind == "servers":
        tables = ("public.log_lines", "public.audit_entries", "public.effects")
        servers = [
            request.getfixturevalue("own_redis").url,
            a_postgres_ledger(request.getfixturevalue("postgres_server")),
        ]
    home = Leaky(tmp_path / "home", tmp_path, *servers)
    try:
        home.plant()
        with _a_shop(home.answers) as home.more["SHOP"]:
            _let_slip(home)
        sinks = [*_sinks(home, servers)]
        assert len(home.aviary.canaries) > 500
        assert _found(sinks, home.aviary.canaries) == []
        # They were all told, and it is the places where they are told that were looked at.
        names = " ".join(name for name, _ in sinks)
        assert all(part in names for part in ("processes.log", ".pdf page", ".xlsx!", *tables))
        assert sum(data.count(b"***") for _, data in sinks) > len(home.aviary.canaries)
    finally:
        home.close()


def _let_slip(home: Leaky) -> None:
    """Have processes told everything, and let them say it."""
    worker = home.start_worker("-w", "3")
    scheduler = home.start("scheduler")
    failed = [home.book(job) for job in _ENDS if job != "slip"]
    waiting = home.book("slip_and_fail", queue="nobody")
    with ThreadPoolExecutor(2) as commands:
        told = [commands.submit(home.tell, *each) for each in _commands(home, waiting.reference)]
        codes = [each.result() for each in told]
    assert codes == [0, 2, 2, 2, 0, 0], home.heard
    until(lambda: all(map(home.ended, failed)), within=120)
    until(lambda: {None, "slipping"} <= {run.schedule for run in _slipped(home)}, within=120)
    scheduler.terminate()
    scheduler.wait()
    until(lambda: all(map(home.ended, home.runs.newest(limit=50))), within=120)
    # The newest come first, so that the first one of each job is what stays.
    ended = {run.job: run.state for run in home.runs.newest(limit=50) if not run.schedule}
    assert ended == _ENDS
    scheduled = next(run for run in _slipped(home) if run.schedule)
    looks: list[tuple[str, ...]]
    looks = [("runs", "show", scheduled.reference), ("runs", "logs", scheduled.reference)]
    looks += [("queue", "failed", "--json"), ("runs", "show", failed[0].reference, "--json")]
    with ThreadPoolExecutor(2) as commands:
        list(commands.map(lambda each: home.tell(*each), looks))
    worker.terminate()
    worker.wait()


def _commands(home: Leaky, waiting: str) -> Iterator[list[str]]:
    """Those with canaries, and the exit code of each."""
    params = home.params("params")
    given = [word for name, value in params.items() for word in ("-p", f"{name}={value}")]
    yield ["run", "slip", *given]
    yield ["run", "slip", *given, "--key", home.said_at_once("key")[:190]]
    yield ["run", "slip", *given, "-p", f"pin={home.said_at_once('wrong parameter')}"]
    yield ["run", home.said_at_once("name")]
    yield ["runs", "cancel", waiting, "--reason", home.said_at_once("reason")]
    yield ["queue", "pause", "nobody", "--reason", home.said_at_once("reason")]


def _slipped(home: Leaky) -> list[Run]:
    return [run for run in home.runs.newest(limit=50) if run.job == "slip" and run.finished_at]


@contextmanager
def _a_shop(answers: Sequence[str]) -> Iterator[str]:
    """A server that fails, and says why; its URL."""

    class Shop(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            said = answers[int(self.path[1:])]
            self.send_response(500, "No")
            self.send_header("X-Why", said)
            self.end_headers()
            self.wfile.write(said.encode())

        def log_message(self, *_: object) -> None:
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Shop)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def _sinks(home: Leaky, servers: Sequence[str]) -> Iterator[Sink]:
    yield from home.heard
    yield from files_of(home.folder, entrances=home.entrances)
    if servers:
        yield from values_of_redis(servers[0])
        yield from rows_of_postgres(servers[1])


def _found(sinks: Iterable[Sink], canaries: Sequence[Canary]) -> list[str]:
    search = Search(canaries)
    return [
        f"{each.kind} of {each.entrance} in {name}: {each.secret}"
        for name, data in sinks
        for each in search.found_in(data)
    ]


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
    assert len(_found(values_of_redis(own_redis.url), [canary])) == 3
    assert len(_found(rows_of_postgres(url), [canary])) == 1
