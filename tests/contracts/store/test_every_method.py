"""Nothing of the store is left out of this suite, which runs on every database."""

import inspect
from pathlib import Path

import pytest

from engine.effects.effects import Effects
from engine.store.artifacts import ArtifactStore
from engine.store.attempt_sums import RunningSums
from engine.store.audit_entries import AuditStore
from engine.store.breaks import BreakStore
from engine.store.cancelled_runs import CancelStore
from engine.store.effects import EffectStore
from engine.store.events import EventStore
from engine.store.failed_runs import FailedRunStore
from engine.store.leases import LeaseStore
from engine.store.logs import LogStore
from engine.store.operator_moves import RunMoveStore
from engine.store.paused_queues import PausedQueueStore
from engine.store.reconciliations import ReconciliationStore
from engine.store.restarts import RestartStore
from engine.store.reviews import ReviewStore
from engine.store.run_counts import RunCounts
from engine.store.runs import RunStore
from engine.store.sealed_params import SealedParamStore
from engine.store.sealed_values import SealedValueStore
from engine.store.users import UserStore
from engine.store.workers import WorkerStore

STORES: list[type] = [
    *(ArtifactStore, BreakStore, Effects, EffectStore, EventStore, LeaseStore, LogStore),
    *(RunCounts, RunningSums),
    *(CancelStore, FailedRunStore, PausedQueueStore, ReviewStore, RunMoveStore),
    *(ReconciliationStore, RestartStore, RunStore, SealedParamStore, SealedValueStore, WorkerStore),
    *(AuditStore, UserStore),
]
TESTED = "".join(file.read_text() for file in Path(__file__).parent.glob("test_*.py"))


@pytest.mark.parametrize("store", STORES)
def test_every_method_is_called_here(store: type) -> None:
    methods = [
        name
        for name, _ in inspect.getmembers(store, inspect.isfunction)
        if not name.startswith("_")
    ]
    assert methods
    assert [name for name in methods if f".{name}(" not in TESTED] == []


def test_every_store_is_listed_here() -> None:
    folder = Path(inspect.getfile(RunStore)).parent
    named = {
        line.split()[1].split("(")[0].rstrip(":")
        for file in folder.glob("*.py")
        for line in file.read_text().splitlines()
        if line.startswith("class ")
    }
    stores = {name for name in named if name.endswith("Store")}
    others = {"Effects", "RunCounts", "RunningSums"}
    assert stores == {store.__name__ for store in STORES} - others
