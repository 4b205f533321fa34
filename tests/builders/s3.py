"""A real object store of the tests' own: moto's server, in a process of its own."""

import json
import os
import sys
from dataclasses import dataclass
from functools import cached_property
from itertools import count
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

from tests.builders.server import Server

_NUMBERS = count(1)
PAGE = 50
"""How many objects it lists at a time; 1,000 elsewhere."""


@dataclass
class S3Server(Server):
    """One server; what it holds is gone when it stops."""

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

    def make_bucket(self, name: str | None = None) -> str:
        """A new bucket; returns its name."""
        name = name or f"bucket-{os.getpid()}-{next(_NUMBERS)}"
        self.client.create_bucket(Bucket=name)
        return name

    @cached_property
    def client(self) -> Any:
        """What moto's users use, for looking at the store past the engine."""
        from boto3 import Session

        session = Session("tester", "not a secret", region_name="us-east-1")
        return session.client("s3", endpoint_url=self.endpoint)

    @property
    def _command(self) -> list[str]:
        return [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(self.port)]

    @property
    def _log(self) -> Path:
        return Path(os.devnull)

    @property
    def _surroundings(self) -> dict[str, Any]:
        options = {"PYTHONWARNINGS": "ignore", "MOTO_S3_DEFAULT_MAX_KEYS": str(PAGE)}
        return {"env": {**os.environ, **options}}

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
