"""Why a file cannot be stored or had; every one of these is a line for the person who reads it."""

import errno
from pathlib import Path

from engine.errors import EngineError, Invalid, Unreachable

_DISK_ERRORS = frozenset(
    {
        *(errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EIO, errno.EACCES),
        *(errno.EPERM, errno.EEXIST, errno.ENOTDIR, errno.EISDIR, errno.ENAMETOOLONG),
    }
)


class StorageUnsupported(Invalid):
    """The URL names no storage that files can be kept on."""

    message = "artifacts cannot be kept at {url!r}: {text}"


class MissingClient(Invalid):
    """The storage is on a server and its client is not installed."""

    message = (
        "a {scheme}:// storage needs the {package} package; run `pip install engine[{scheme}]`"
    )


class PathEscapes(Invalid):
    """A path would lead out of the storage."""

    message = "{path!r} is no path below the artifacts' storage"


class DiskFailed(EngineError):
    """A local disk would not do it; nothing half done is left."""

    message = "cannot {action} {path!r} in {root}: {reason}; check its free space and permissions"


class StorageUnreachable(Unreachable):
    """The storage does not answer, or not now; it may the next time."""

    message = "the storage {url} does not answer: {reason}"


class StorageRefused(Unreachable):
    """The storage answers, and will not do it until somebody changes something."""

    message = "the storage {url} refuses: {reason}"


class FileMissing(EngineError):
    """A record says there is a file, and there is none."""

    message = "the file {path!r} is not in {root}; was it removed by hand, or is the root wrong?"


class FileDamaged(EngineError):
    """A file is not what it was when it was written."""

    message = "the file {path!r} in {root} is damaged: {text}"


def disk_failed(action: str, path: str, root: Path, error: OSError) -> DiskFailed:
    """An error of the disk under `root`, as a person can read it."""
    reason = error.strerror or str(error)
    return DiskFailed(action=action, path=path, root=root, reason=reason)


def is_of_disk(error: BaseException, root: Path) -> bool:
    """Tell the disk under `root` from whatever else was being read when it failed."""
    if not isinstance(error, OSError):
        return False
    ours = error.filename is None or Path(str(error.filename)).is_relative_to(root)
    return ours and error.errno in _DISK_ERRORS
