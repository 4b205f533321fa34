"""The command of a server's own kind that asks whether it is there."""

import re
import shlex
from urllib.parse import urlsplit

from engine.redaction.urls import without_password

_COMMANDS = re.compile(r"`([^`]+)`")


def probe_of(url: str) -> str:
    """What to type to see whether what the URL names answers; without its password."""
    parts = urlsplit(url)
    host, port = shlex.quote(parts.hostname or "localhost"), parts.port
    match parts.scheme.partition("+")[0]:
        case "redis" | "rediss":
            tls = " --tls" if parts.scheme == "rediss" else ""
            return f"redis-cli -h {host} -p {port or 6379}{tls} ping"
        case "postgresql" | "postgres":
            return f"pg_isready -h {host} -p {port or 5432}"
        case "mysql" | "mariadb":
            return f"mariadb-admin -h {host} -P {port or 3306} ping"
        case "sftp":
            user = f"{shlex.quote(parts.username)}@" if parts.username else ""
            return f"sftp -P {port or 22} {user}{host}"
        case "s3":
            return f"aws s3 ls {shlex.quote(without_password(url))}"
        case _:
            path = re.sub(r"^(sqlite:///|file://)", "", url)
            return f"ls -ld {shlex.quote(path)}"


def commands_in(text: str) -> list[str]:
    """The commands that an error names in backticks."""
    return _COMMANDS.findall(text)
