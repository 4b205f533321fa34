"""A clock that is set while processes run: theirs alone, by libfaketime.

The monotonic clocks go on as they do when somebody sets the clock of a machine.
"""

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

_NO_SLEEP = Path(__file__).with_name("no_sleep")


@dataclass(frozen=True)
class WrongClock:
    """The clock of every process that is started with its `environment`; right at first."""

    file: Path

    def __post_init__(self) -> None:
        self.set(timedelta())

    def set(self, ahead: timedelta) -> None:
        """Make it so much ahead of the right time, from now on."""
        partial = self.file.with_suffix(".new")
        partial.write_text(f"{ahead.total_seconds():+.0f}\n")
        partial.rename(self.file)

    def environment(self, python_path: str) -> dict[str, str]:
        """What a process has to find in its environment to go by this clock."""
        return {
            "LD_PRELOAD": str(_library()),
            "FAKETIME_TIMESTAMP_FILE": str(self.file),
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "PYTHONPATH": f"{_NO_SLEEP}:{python_path}",
        }


def _library() -> Path:
    found = sorted(Path("/usr/lib").glob("**/faketime/libfaketime.so.1"))
    assert found, "libfaketime is not installed; scripts/setup --for-tests does it"
    return found[0]
