"""A fork server for tests that leave it as it was."""

from collections.abc import Iterator

import pytest

from engine.worker.fork_server import ForkServer

PERFORMER = "tests.processes.performances:performer"


@pytest.fixture(scope="package")
def fork_server() -> Iterator[ForkServer]:
    """Shared: starting one takes a while."""
    server = ForkServer.start(performer=PERFORMER)
    yield server
    server.close()


@pytest.fixture
def own_fork_server() -> Iterator[ForkServer]:
    """For tests that kill it, or look at what it has open."""
    server = ForkServer.start(performer=PERFORMER)
    yield server
    server.close()
