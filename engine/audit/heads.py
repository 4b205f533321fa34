"""Heads of the audit, outside its ledger: a line in a file of each day, and one in the log.

A head names the newest entry and its MAC, which is of that entry and of all before it. A ledger
that was cut off, or made anew by somebody who has the key, does not fit the heads that are there.
"""

import json
import logging
import os
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

from engine.errors import Invalid
from engine.store.audit_chain import AuditEntry, mac

_log = logging.getLogger(__name__)
_SYSLOG = Path("/dev/log")


class HeadsUnreadable(Invalid):
    """Heads are there, and cannot be read."""

    message = "the heads in {folder} cannot be read: {error}"


@dataclass(frozen=True, kw_only=True)
class Head:
    """The chain ended with this entry when it was written."""

    id: int
    mac: str
    at: datetime

    def line(self, key: bytes) -> str:
        """As it is in a file; the key's proof that nobody else wrote it is behind it."""
        facts = {"id": self.id, "mac": self.mac, "at": self.at.isoformat()}
        return json.dumps({**facts, "proof": mac(key, _said(facts))}) + "\n"


@dataclass(frozen=True, kw_only=True)
class Line:
    """A line of a file, and the head in it; None if it is not one that this key's holder wrote."""

    file: Path
    number: int
    head: Head | None


class HeadFiles:
    """The files of heads in one folder, a day each."""

    def __init__(self, folder: Path, syslog: Path = _SYSLOG) -> None:
        self.folder = folder
        self._syslog = syslog

    @property
    def name(self) -> str:
        """Which folder it is, among those of all machines; in each entry that has its head here."""
        return f"{os.uname().nodename}:{self.folder}"

    def publish(self, entries: Sequence[AuditEntry], key: bytes) -> None:
        """Write the head that these entries made; what cannot be written is a warning.

        The act is done already, and a person waits.
        """
        newest = entries[-1]
        head = Head(id=newest.id, mac=newest.mac, at=newest.at)
        try:
            self._append(self.file_of(head.at.date()), head.line(key))
        except OSError as error:
            _log.warning(
                "the head %d of the audit was not written to %s: %s", head.id, self.folder, error
            )
        self._log(f"audit head {head.id} {head.mac}")

    def file_of(self, day: date) -> Path:
        """Where the heads of entries of this day are (UTC)."""
        return self.folder / f"{day.isoformat()}.jsonl"

    def lines(self, key: bytes | None) -> Iterator[Line]:
        """Every line of every file, the oldest day first; without a key, unproven.

        Raises HeadsUnreadable. A folder that is not there has none.
        """
        try:
            for file in sorted(self.folder.glob("*.jsonl")):
                for number, text in enumerate(file.read_text(errors="replace").splitlines(), 1):
                    yield Line(file=file, number=number, head=_head(text, key))
        except OSError as error:
            raise HeadsUnreadable(folder=self.folder, error=error) from error

    def _append(self, file: Path, line: str) -> None:
        # Whoever may write the folder that it is in, the ledger's, may write heads.
        shared = _made(file.parent)
        handle = os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
        try:
            if os.fstat(handle).st_size == 0:
                os.fchmod(handle, shared & 0o666)
            # One write: lines of two processes do not run into one another.
            os.write(handle, line.encode())
            os.fsync(handle)
        finally:
            os.close(handle)

    def _log(self, text: str) -> None:
        """To the machine's own log, if it has one: others may not edit that."""
        _log.info(text)
        if not self._syslog.is_socket():
            return
        from logging.handlers import SysLogHandler

        try:
            handler = SysLogHandler(str(self._syslog))
        except OSError:
            return
        handler.ident = "engine: "
        handler.handle(logging.LogRecord(__name__, logging.INFO, "", 0, text, None, None))
        handler.close()


def _made(folder: Path) -> int:
    """Make the folder with the rights that the one around it has; returns them."""
    if not folder.is_dir():
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(stat.S_IMODE(folder.parent.stat().st_mode) & 0o777)
    return stat.S_IMODE(folder.stat().st_mode)


def _head(text: str, key: bytes | None) -> Head | None:
    try:
        read: dict[str, Any] = json.loads(text)
        proof = read.pop("proof")
        if key is not None and proof != mac(key, _said(read)):
            return None
        return Head(id=read["id"], mac=read["mac"], at=datetime.fromisoformat(read["at"]))
    except (ValueError, TypeError, KeyError, AttributeError):
        return None


def _said(facts: dict[str, Any]) -> str:
    return "head of the audit: " + json.dumps(facts, sort_keys=True)
