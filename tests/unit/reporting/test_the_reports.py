"""The reports that come with the engine: each says everything in both languages."""

from pathlib import Path

import pytest

from engine.reporting.label import Label
from tests.builders.reports import definitions_in

REPORTS = Path(__file__).parents[3] / "reports"
NAMES = list(definitions_in(REPORTS))


@pytest.mark.parametrize("name", NAMES)
def test_a_report_is_made_in_english_and_arabic(name: str) -> None:
    definition = definitions_in(REPORTS).load(name)
    assert definition.locales == ("en", "ar")
    assert definition.owner
    assert definition.confidentiality is not None
    labels = [definition.title, *(each.label for each in definition.datasets)]
    labels += [column.label for each in definition.datasets for column in each.shown_in("ar")]
    assert [label for label in labels if not _is_arabic(label)] == []


@pytest.mark.parametrize("name", NAMES)
def test_the_columns_of_both_languages_are_the_same_but_for_names(name: str) -> None:
    for dataset in definitions_in(REPORTS).load(name).datasets:
        english = [column.name.removesuffix("_en") for column in dataset.shown_in("en")]
        assert english == [column.name.removesuffix("_ar") for column in dataset.shown_in("ar")]


def _is_arabic(label: Label) -> bool:
    return any("\u0600" <= letter <= "\u06ff" for letter in label.said("ar"))
