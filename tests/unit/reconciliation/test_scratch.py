"""What does not fit into memory goes to a disk, and a full one is named."""

from pathlib import Path

import pytest

from engine.reconciliation.staging import ScratchFull, open_staging
from tests.builders.disk import a_small_disk

MANY = "CREATE TABLE t AS SELECT range AS a, range * 7 AS b, hash(range) AS c FROM range(4000000)"


@pytest.mark.parametrize("on_disk", [False, True], ids=["in memory", "on disk"])
def test_a_full_scratch_disk_is_named_and_left_empty(tmp_path: Path, on_disk: bool) -> None:
    with a_small_disk(tmp_path / "scratch", megabytes=4) as disk:
        staged = open_staging(memory_limit="40MB", scratch=disk.folder, on_disk=on_disk)
        said = rf"no space left in {disk.folder} .* set TMPDIR"
        with pytest.raises(ScratchFull, match=said), staged as staging:
            staging.run(MANY)
        assert list(disk.folder.iterdir()) == []


def test_a_scratch_disk_without_any_room_is_named(tmp_path: Path) -> None:
    with a_small_disk(tmp_path / "scratch", megabytes=1) as disk:
        for number in range(2_000):  # until there is no inode or block left
            try:
                (disk.folder / str(number)).mkdir()
            except OSError:
                break
        disk.fill()
        staged = open_staging(memory_limit="40MB", scratch=disk.folder)
        with pytest.raises(ScratchFull, match=f"no space left in {disk.folder}"), staged as staging:
            staging.run(MANY)
