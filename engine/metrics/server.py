"""Serving metrics over HTTP while the process lives, whatever becomes of the ledger."""

import logging
import threading
from collections.abc import Iterable
from typing import Protocol
from wsgiref.simple_server import WSGIServer

from prometheus_client import CollectorRegistry, start_http_server
from prometheus_client.metrics_core import Metric
from prometheus_client.process_collector import ProcessCollector
from prometheus_client.registry import Collector

logger = logging.getLogger("engine.metrics")

_TRY_AGAIN_SECONDS = 15.0


class Families(Protocol):
    """What is served."""

    def prepare(self) -> None:
        """Somebody will ask soon."""

    def families(self) -> Iterable[Metric]:
        """As they are now; it never raises."""


class MetricsServer:
    """Listens at one address. While that is taken it says so once and tries again: another
    process on this machine, often another scheduler, serves the same numbers meanwhile.
    """

    def __init__(self, host: str, port: int, families: Families) -> None:
        self._host, self._port = host, port
        self._families = families
        self._registry = CollectorRegistry()
        self._registry.register(_Bridge(families))
        ProcessCollector(registry=self._registry)
        self._server: WSGIServer | None = None
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._listen, name="metrics", daemon=True)

    @property
    def address(self) -> str:
        """Where it listens, or wants to."""
        port = self._port if self._server is None else self._server.server_port
        return f"{self._host}:{port}"

    def start(self) -> None:
        """Listen, now or as soon as the address is free."""
        self._thread.start()

    def stop(self) -> None:
        """Let go of the address."""
        self._stopped.set()
        if self._thread.ident is not None:
            self._thread.join()
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()

    def _listen(self) -> None:
        was_said = False
        while not self._stopped.is_set():
            try:
                self._server, _ = start_http_server(self._port, self._host, self._registry)
            except OSError as error:
                if not was_said:
                    was_said = True
                    facts = {"address": self.address, "error": error}
                    logger.warning("metrics are not served; it is tried again", extra=facts)
                self._stopped.wait(_TRY_AGAIN_SECONDS)
            else:
                self._families.prepare()
                logger.info("metrics are served", extra={"address": self.address})
                return


class _Bridge(Collector):
    """Asks for the families at each scrape."""

    def __init__(self, families: Families) -> None:
        self._families = families

    def collect(self) -> Iterable[Metric]:
        """All of them."""
        return self._families.families()

    def describe(self) -> Iterable[Metric]:
        """None: registering asks the ledger for nothing."""
        return []
