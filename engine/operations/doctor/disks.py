"""A disk is full, or cannot be written to."""

import os
import shlex
import tempfile
from collections.abc import Iterator
from pathlib import Path

from engine.operations.doctor.cause import Cause, Finding, Question
from engine.operations.doctor.patient import Patient
from engine.operations.doctor.wording import counted, sized

# Full is less than this, or of a small disk than a tenth.
_BYTES = 200e6
_SHARE = 0.1
_FILES = 1_000


def _full(patient: Patient) -> Iterator[Finding]:
    seen = set()
    for what, folder in _folders(patient):
        device = folder.stat().st_dev
        if not os.access(folder, os.W_OK | os.X_OK):
            text = f"{folder}, for {what}, cannot be written to"
            yield Finding(text=text, next=[f"ls -ld {shlex.quote(str(folder))}"])
        if device in seen:
            continue
        seen.add(device)
        about = os.statvfs(folder)
        free, total = about.f_bavail * about.f_frsize, about.f_blocks * about.f_frsize
        quoted = shlex.quote(str(folder))
        if free < min(_BYTES, total * _SHARE):
            text = f"the disk of {folder}, for {what}, has {sized(free)} of {sized(total)} left"
            steps = [f"df -h {quoted}", f"du -xh --max-depth=2 {quoted} | sort -h | tail"]
            yield Finding(text=text, next=steps)
        elif about.f_files and about.f_favail < min(_FILES, about.f_files * _SHARE):
            text = (
                f"the disk of {folder}, for {what}, has room for {counted(about.f_favail, 'file')}"
            )
            yield Finding(text=text, next=[f"df -i {quoted}"])


def _folders(patient: Patient) -> Iterator[tuple[str, Path]]:
    settings = patient.settings
    places = {
        "temporary files": Path(tempfile.gettempdir()),
        "the home": settings.home,
        "files under way": settings.spool_folder,
    }
    if settings.storage.startswith("file://"):
        places["reports"] = Path(settings.storage.removeprefix("file://"))
    if settings.database.startswith("sqlite:///"):
        places["the run ledger"] = Path(settings.database.removeprefix("sqlite:///")).parent
    if patient.queue_file is not None:
        places["the queue"] = patient.queue_file.parent
    for what, folder in places.items():
        yield what, next(each for each in (folder, *folder.parents) if each.is_dir())


DISK_FULL = Cause(
    name="disk_full",
    question=Question.NOT_PROCESSING,
    fine="every disk that is written to has room",
    look=_full,
)
