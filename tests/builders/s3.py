"""A real object store of the tests' own: moto's server, in a process of its own."""

import json
import os
import socket
import subprocess
import sys
import time
from dataclasses import dataclass, field
from itertools import count
from typing import Any
from urllib.request import Request, urlopen

_STARTS_WITHIN = 30.0
_NUMBERS = count(1)


@dataclass
class S3Server:
    """One server on a port of its own; what it holds is gone when it stops."""

    port: int = field(default_factory=lambda: _free_port())
    _process: subprocess.Popen[bytes] | None = None

    @property
    def endpoint(self) -> str:
        """Where clients find it."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def environment(self) -> dict[str, str]:
        """What a process needs to use it: the usual names, and no file of the machine's user."""
        return {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_ACCESS_KEY_ID": "tester",
            "AWS_SECRET_ACCESS_KEY": "not a secret",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        }

    def start(self) -> None:
        """Start it and wait until it answers."""
        self._process = subprocess.Popen(  # noqa: S603 - our own interpreter and wheel
            [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(self.port)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            env={**os.environ, "PYTHONWARNINGS": "ignore"},
        )
        deadline = time.monotonic() + _STARTS_WITHIN
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > deadline:
                self.stop()
                raise RuntimeError("moto's server did not start")
            time.sleep(0.02)

    def stop(self) -> None:
        """End it at once, with all it holds; twice does no harm."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def make_bucket(self, name: str | None = None) -> str:
        """A new bucket; returns its name."""
        name = name or f"bucket-{os.getpid()}-{next(_NUMBERS)}"
        self.client().create_bucket(Bucket=name)
        return name

    def client(self) -> Any:
        """What moto's users use, for looking at the store past the engine."""
        from boto3 import Session

        session = Session("tester", "not a secret", region_name="us-east-1")
        return session.client("s3", endpoint_url=self.endpoint)

    def _answers(self) -> bool:
        try:
            with urlopen(Request(f"{self.endpoint}/moto-api/data.json"), timeout=1) as answer:  # noqa: S310
                json.load(answer)
                return True
        except (OSError, ValueError):
            return False


def start_s3() -> S3Server:
    """A server that answers; the caller stops it."""
    server = S3Server()
    server.start()
    return server


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
