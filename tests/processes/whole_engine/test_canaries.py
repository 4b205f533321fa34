"""Canaries: a secret of every kind comes in by every entrance, and none is kept anywhere."""

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from engine.states import RunState
from engine.store.run import Run
from tests.builders.canaries import Canary, Search
from tests.builders.database import a_postgres_ledger
from tests.builders.leaky import Leaky, a_shop
from tests.builders.sinks import Sink, files_of, rows_of_postgres, values_of_redis
from tests.processes.waiting import until

pytestmark = pytest.mark.process

# How the first run of each job ends.
_ENDS = {
    "slip": RunState.SUCCEEDED,
    "slip_in_a_thread": RunState.SUCCEEDED,
    "reconcile_wallets": RunState.SUCCEEDED,
    "slip_and_fail": RunState.FAILED,
    "slip_and_die": RunState.FAILED,
}


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
        with a_shop(home.answers) as home.more["SHOP"]:
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
