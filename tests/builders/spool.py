"""Files that are whole on this machine and wait to be stored."""

from pathlib import Path

from engine.artifact_files.spool import Spool, SpooledFile


def a_spooled_file(folder: Path, data: bytes = b"wallet\r\n", name: str = "a.csv") -> SpooledFile:
    """A file in the spool of a test."""

    def write(target: object) -> int:
        target.write(data)  # type: ignore[attr-defined]
        return data.count(b"\n")

    return Spool(folder / "spool").of("RUN", 1).write(name, "text/csv", write)
