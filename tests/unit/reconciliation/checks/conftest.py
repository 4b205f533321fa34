from pathlib import Path

import pytest

from tests.builders.canteen import Canteen


@pytest.fixture
def canteen(tmp_path: Path) -> Canteen:
    """An empty one."""
    return Canteen(tmp_path)
