"""Which tests may run at the same time, when pytest-xdist spreads them over several processes.

Those of one file share fixtures and stay together. Tests of processes wait for seconds that the
product promises, so they come one after the other in one process, beside which the rest runs.
"""

from pathlib import Path

import pytest

_HERE = Path(__file__).parent
_WAITING = (_HERE / "processes", _HERE / "docs")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Name each test's group."""
    for item in items:
        waits = any(item.path.is_relative_to(folder) for folder in _WAITING)
        name = "processes" if waits else str(item.path.relative_to(_HERE))
        item.add_marker(pytest.mark.xdist_group(name))
