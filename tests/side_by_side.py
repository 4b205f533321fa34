"""Which tests run at the same time, when pytest-xdist spreads them over several processes.

Those of one file share fixtures and stay together. Tests of processes wait for seconds that the
product promises, so they come one after the other in one process, beside which the rest runs.
"""

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from xdist.scheduler import LoadScopeScheduling

_WAITING = ("tests/processes/", "tests/docs/")


def group_of(test: str) -> str:
    """The name of the group that a test is in, by its node id."""
    file = test.partition("::")[0]
    return "processes" if file.startswith(_WAITING) else file


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> "LoadScopeScheduling":
    """A scheduler by group; only asked for where there are several processes."""
    from xdist.scheduler import LoadScopeScheduling

    class SideBySide(LoadScopeScheduling):  # type: ignore[misc]
        def _split_scope(self, nodeid: str) -> str:
            return group_of(nodeid)

    return SideBySide(config, log)
