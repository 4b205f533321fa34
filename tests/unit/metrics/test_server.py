"""Serving metrics: over HTTP, at an address that may be taken."""

import logging
import socket
import urllib.error
import urllib.request
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing

import pytest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric

from engine.metrics.server import MetricsServer
from tests.builders.prometheus import samples_in
from tests.processes.waiting import until


class One:
    """One family, with one number."""

    def __init__(self, number: float) -> None:
        self.number = number
        self.was_prepared = False

    def prepare(self) -> None:
        """Remember it."""
        self.was_prepared = True

    def families(self) -> Iterable[Metric]:
        """The number."""
        yield GaugeMetricFamily("engine_up", "A number.", value=self.number)


@pytest.fixture
def port() -> int:
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        found: int = probe.getsockname()[1]
        return found


@pytest.fixture
def serve(port: int) -> Iterator[Callable[[One], MetricsServer]]:
    """Starts servers of one address, which are stopped in the end."""
    servers = []

    def start(families: One) -> MetricsServer:
        server = MetricsServer("127.0.0.1", port, families)
        servers.append(server)
        server.start()
        return server

    yield start
    for server in servers:
        server.stop()


def scrape(port: int) -> dict[str, float]:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
        assert answer.status == 200
        return dict(samples_in(answer.read().decode()))


def answers(port: int) -> bool:
    with closing(socket.socket()) as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def test_a_scrape_is_answered_with_what_is_shown_now(
    port: int, serve: Callable[[One], MetricsServer]
) -> None:
    shown = One(1)
    server = serve(shown)
    until(lambda: answers(port) and shown.was_prepared)
    assert server.address == f"127.0.0.1:{port}"
    assert scrape(port)["engine_up"] == 1
    shown.number = 0
    found = scrape(port)
    assert found["engine_up"] == 0
    assert found["process_resident_memory_bytes"] > 0


def test_it_lets_go_of_its_address(port: int, serve: Callable[[One], MetricsServer]) -> None:
    first = serve(One(1))
    until(lambda: answers(port))
    first.stop()
    assert not answers(port)
    serve(One(2))
    until(lambda: answers(port))
    assert scrape(port)["engine_up"] == 2


def test_a_taken_address_is_said_once_and_taken_over_when_it_is_free(
    port: int,
    serve: Callable[[One], MetricsServer],
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("engine.metrics.server._TRY_AGAIN_SECONDS", 0.05)
    first = serve(One(1))
    until(lambda: answers(port))
    with caplog.at_level(logging.INFO, "engine.metrics"):
        serve(One(2))
        until(lambda: bool(caplog.records))
        assert scrape(port)["engine_up"] == 1
        first.stop()
        until(lambda: answers(port))
        assert scrape(port)["engine_up"] == 2
    warnings = [line for line in caplog.records if line.levelno == logging.WARNING]
    assert [line.message for line in warnings] == ["metrics are not served; it is tried again"]


def test_it_can_be_stopped_before_it_ever_listened(port: int) -> None:
    MetricsServer("127.0.0.1", port, One(1)).stop()
