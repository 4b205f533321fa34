"""Which tests run at the same time, when pytest-xdist spreads them over several processes.

Those of one file share fixtures and stay together. Tests of processes wait for seconds that the
product promises, most of the time: they are two groups, so that no more than two of them come at
once, beside which the rest runs.
"""

import zlib
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from xdist.scheduler import LoadScopeScheduling

_WAITING = ("tests/processes/", "tests/docs/")


def group_of(test: str) -> str:
    """The name of the group that a test is in, by its node id."""
    file = test.partition("::")[0]
    if not file.startswith(_WAITING):
        return file
    return f"processes {zlib.crc32(file.encode()) % 2}"


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> "LoadScopeScheduling":
    """A scheduler by group; only asked for where there are several processes."""
    from xdist.scheduler import LoadScopeScheduling

    class SideBySide(LoadScopeScheduling):  # type: ignore[misc]
        def _split_scope(self, nodeid: str) -> str:
            return group_of(nodeid)

    return SideBySide(config, log)
