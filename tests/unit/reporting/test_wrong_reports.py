"""Each wrong file in `wrong/` gets the messages beside it, at once and each at its place.

To add one: write `wrong/<name>.yaml`, and what it should be told in `wrong/<name>.expected`.
"""

import time
from pathlib import Path

import pytest

from engine.documents.problem import InvalidDocument
from tests.builders.reports import definitions_in

WRONG = Path(__file__).parent / "wrong"


@pytest.mark.parametrize("path", sorted(WRONG.glob("*.yaml")), ids=lambda path: path.stem)
def test_a_wrong_report_gets_located_messages_within_a_second(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(WRONG)
    started = time.process_time()
    with pytest.raises(InvalidDocument) as caught:
        definitions_in(WRONG).load(path.stem)
    assert time.process_time() - started < 1
    assert str(caught.value) == path.with_suffix(".expected").read_text(encoding="utf-8").rstrip()


def test_there_are_many_of_them() -> None:
    assert len(list(WRONG.glob("*.yaml"))) >= 45
    assert len(list(WRONG.glob("*.expected"))) == len(list(WRONG.glob("*.yaml")))
