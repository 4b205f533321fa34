"""Keys that tell: none holds a secret of its own run, whether of its booking or of an effect."""

import threading
from collections.abc import Callable

import pytest
from sqlalchemy import select

from engine.effects.effects import Effects
from engine.redaction.known import Secrets
from engine.redaction.own import hiding
from engine.sealing import Keys, Sealer
from engine.store.database import Database
from engine.store.key import TellingKey, UnusableKey
from engine.store.runs import RunStore
from engine.store.sealed_params import ToSeal
from engine.store.tables import effects as table
from tests.builders.booking import a_claim, a_run

OWN = Secrets(["KeySecret1234"])
SEALER = Sealer(Keys.parse("k" * 32))


def done() -> None:
    """What must not be done."""
    raise AssertionError("called")


def kept(database: Database) -> list[str]:
    """The keys of effects in the ledger."""
    with database.read() as connection:
        return list(connection.execute(select(table.c.key)).scalars())


@pytest.mark.parametrize("call", [lambda: done(), lambda _: done()])
def test_an_effect_whose_key_holds_a_secret_of_its_run_is_refused_and_not_done(
    database: Database, call: Callable[..., None]
) -> None:
    effects, claim = Effects(database), a_claim(RunStore(database))
    with hiding(OWN):
        with pytest.raises(TellingKey, match=r"'pay \*\*\*'"):
            effects.once(claim, "pay KeySecret1234", 1, call)
        effects.once(claim, "pay 1000000008", 1, lambda _: None)
    assert kept(database) == ["pay 1000000008"]


def test_threads_of_an_attempt_with_a_process_of_its_own_know_its_secrets_too(
    database: Database,
) -> None:
    said: list[str] = []
    effects, claim = Effects(database), a_claim(RunStore(database))

    def work() -> None:
        try:
            effects.once(claim, "pay KeySecret1234", 1, lambda: None)
        except TellingKey as error:
            said.append(str(error))

    with hiding(OWN, in_all_threads=True):
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
    assert len(said) == 1
    assert kept(database) == []


@pytest.mark.parametrize(
    ("key", "wrong"),
    [
        ("KeySecret1234", TellingKey),
        ("of-KeySecret1234-1", TellingKey),
        ("KeySecret1234" + "x" * 200, UnusableKey),
        ("KeySecret1234\n", UnusableKey),
    ],
)
def test_a_run_is_not_booked_under_what_is_sealed_of_it(
    database: Database, key: str, wrong: type[Exception]
) -> None:
    runs = RunStore(database)
    to_seal = ToSeal({"s": "KeySecret1234"}, SEALER)
    with pytest.raises(wrong) as refused:
        a_run(runs, params={"s": "***"}, to_seal=to_seal, key=key)
    assert "KeySecret" not in str(refused.value)
    assert runs.newest() == []


def test_a_key_may_hold_what_a_run_shows(database: Database) -> None:
    to_seal = ToSeal({"note": "for sara@example.com, order 1234"}, SEALER)
    shown = {"note": "for ***, order 1234"}
    assert a_run(RunStore(database), params=shown, to_seal=to_seal, key="order 1234").key
