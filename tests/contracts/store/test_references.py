"""A run's reference says its job and its day, and no two runs have the same one."""

import re
from itertools import chain, cycle, repeat

import pytest
from sqlalchemy import update

from engine.store.database import Database
from engine.store.runs import RunStore
from engine.store.tables import runs as table
from tests.builders.booking import a_new_run, a_run


@pytest.mark.parametrize(
    ("job", "letters"),
    [("reconcile", "RC"), ("import_payments", "IP"), ("tick", "TC"), ("a", "AX"), ("_2", "XX")],
)
def test_it_is_two_letters_of_the_job_its_day_and_five_more(
    runs: RunStore, job: str, letters: str
) -> None:
    run = a_run(runs, job=job)
    day = f"{run.created_at:%Y%m%d}"
    assert re.fullmatch(rf"{letters}-{day}-[0-9A-HJKMNP-TV-Z]{{5}}", run.reference)


def test_one_that_is_taken_is_not_given_again(
    runs: RunStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The second run asks for the first one's letters, and then for others.
    drawn = chain(repeat("A", 10), cycle("7K3F9"))
    monkeypatch.setattr("secrets.choice", lambda letters: next(drawn))
    first, second = a_run(runs), a_run(runs)
    assert first.reference.endswith("-AAAAA")
    assert second.reference.endswith("-7K3F9")


def test_runs_with_references_of_before_are_found_by_them(
    runs: RunStore, database: Database
) -> None:
    run, _ = runs.book(a_new_run())
    with database.begin() as connection:
        connection.execute(update(table).values(reference="K7M2-9QXF"))
    assert runs.find("k7m2-9qxf").id == run.id
