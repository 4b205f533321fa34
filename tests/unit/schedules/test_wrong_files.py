"""Each wrong file in `wrong/` gets the messages beside it, at once and without a traceback.

To add one: write `wrong/<name>.yaml`, and what it should be told in `wrong/<name>.expected`.
"""

import time
from pathlib import Path

import pytest

from engine.documents.problem import InvalidDocument
from tests.builders.schedule import schedules_in

WRONG = Path(__file__).parent / "wrong"


@pytest.mark.parametrize("path", sorted(WRONG.glob("*.yaml")), ids=lambda path: path.stem)
def test_a_wrong_file_gets_located_messages_within_a_second(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(WRONG)
    started = time.process_time()
    with pytest.raises(InvalidDocument) as caught:
        schedules_in(path)
    assert time.process_time() - started < 1
    assert str(caught.value) == path.with_suffix(".expected").read_text(encoding="utf-8").rstrip()


def test_there_are_many_of_them() -> None:
    assert len(list(WRONG.glob("*.yaml"))) >= 45
    assert len(list(WRONG.glob("*.expected"))) == len(list(WRONG.glob("*.yaml")))


def test_a_file_over_four_megabytes_is_refused_without_being_read(tmp_path: Path) -> None:
    path = tmp_path / "schedules.yaml"
    path.write_text("# padding\n" * 500_000, encoding="utf-8")
    with pytest.raises(InvalidDocument, match="larger than 4 MB"):
        schedules_in(path)
