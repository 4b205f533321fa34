"""Parameters that take what no other is called, and lists that are given as one text."""

from typing import Any

import pytest

from engine.job import job
from engine.signature import InvalidParams, Names, Others


@job()
def report(
    context: Any,
    *,
    name: str,
    formats: Names | None = None,
    params: Others | None = None,
) -> None:
    """Make a report."""


def test_what_has_no_parameter_of_its_name_goes_to_the_one_that_takes_others() -> None:
    given = {"name": "sales", "wallet": "7", "from": "2026-11-01"}
    stored = report.validate(given)
    assert stored == {"name": "sales", "params": {"wallet": "7", "from": "2026-11-01"}}
    assert report.validate(stored) == stored


def test_others_stay_beside_what_was_given_as_such() -> None:
    stored = report.validate({"name": "sales", "params": {"school": 7}, "wallet": 8})
    assert stored["params"] == {"school": 7, "wallet": 8}


def test_a_parameter_that_takes_others_is_a_mapping_all_the_same() -> None:
    with pytest.raises(InvalidParams, match="params"):
        report.validate({"name": "sales", "params": "wallet", "wallet": 7})


def test_a_job_that_takes_no_others_refuses_them() -> None:
    @job()
    def plain(context: Any, *, name: str) -> None:
        """Take a name."""

    with pytest.raises(InvalidParams, match="no such parameter"):
        plain.validate({"name": "sales", "wallet": 7})


def test_names_may_be_given_as_one_text() -> None:
    assert report.validate({"name": "a", "formats": "csv, xlsx"})["formats"] == ["csv", "xlsx"]
    assert report.validate({"name": "a", "formats": ["csv"]})["formats"] == ["csv"]
    with pytest.raises(InvalidParams, match="names with commas between them"):
        report.validate({"name": "a", "formats": 7})
