"""A home whose real processes reconcile a small canteen."""

from datetime import datetime
from pathlib import Path
from shutil import copyfile, copytree

from engine.demo.world import World
from engine.states import RunState
from engine.store.run import Run
from tests.builders.home import ROOT, Home
from tests.builders.world import AS_OF, a_world
from tests.processes.waiting import until


class Nightly(Home):
    """Has the project's own jobs and definitions, and a demo world as its source `canteen`.

    Its reconciliations are retried after three seconds.
    """

    def __init__(self, folder: Path, *, entries: int = 600, storage_url: str | None = None) -> None:
        super().__init__(folder)
        for job in (ROOT / "jobs").glob("*.py"):
            copyfile(job, folder / "jobs" / job.name)
        reconciling = folder / "jobs" / "reconciliation.py"
        policy = "RetryPolicy(attempts=3, waits=(timedelta(seconds=3),))"
        text = reconciling.read_text().replace("RetryPolicy(attempts=3)", policy)
        assert policy in text
        reconciling.write_text(text)
        for name in ("reconciliations", "reports"):
            copytree(ROOT / name, folder / name)
        self.world: World = a_world(folder, wallets=60, entries=entries, faults=5)
        self.more["ENGINE_SOURCES__CANTEEN"] = f"sqlite:///{self.world.path}"
        if storage_url is not None:
            self.more["ENGINE_STORAGE_URL"] = storage_url

    def reconcile(self, *, attempts: int = 3, as_of: datetime = AS_OF) -> Run:
        """Book a run that reconciles the wallets, and ring for it."""
        return self.book(
            "reconcile", attempts=attempts, definition="wallets", as_of=as_of.isoformat()
        )

    def until(self, run: Run, *states: RunState, within: float = 60) -> Run:
        """The run once it is in one of these states, or has ended."""
        wanted = {*states, RunState.SUCCEEDED, RunState.FAILED}
        until(lambda: self.runs.get(run.id).state in wanted, within=within)
        return self.runs.get(run.id)

    def spooled(self) -> list[str]:
        """The references of the runs for which something is kept."""
        spool = self.folder / "var" / "spool"
        return sorted(each.name for each in spool.iterdir()) if spool.exists() else []
