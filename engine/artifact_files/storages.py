"""The kinds of storage, by the scheme of their URL."""

from collections.abc import Callable, Mapping, Sequence
from importlib.util import find_spec
from urllib.parse import urlsplit

from engine.artifact_files.faults import MissingClient, StorageUnsupported
from engine.artifact_files.folder import Folder
from engine.artifact_files.s3 import S3
from engine.artifact_files.sftp import Sftp
from engine.artifact_files.storage import Storage
from engine.redaction.urls import without_password

STORAGES: Mapping[str, Callable[[str], Storage]] = {"file": Folder, "s3": S3, "sftp": Sftp}

_CLIENTS = {"s3": ("s3fs",), "sftp": ("paramiko",)}


def open_storage(url: str) -> Storage:
    """The storage of this URL; nothing is asked of it yet. Raises Invalid."""
    require_client(url)
    return STORAGES[urlsplit(url).scheme](url)


def require_client(url: str) -> None:
    """Raises Invalid when the URL is of no kind, or its client is missing; asks nobody."""
    scheme = urlsplit(url).scheme
    if scheme not in STORAGES:
        text = f"write {' or '.join(f'{each}://' for each in STORAGES)}"
        raise StorageUnsupported(url=without_password(url), text=text)
    for package in client_of(url):
        if find_spec(package) is None:
            raise MissingClient(scheme=scheme, package=package)


def client_of(url: str) -> Sequence[str]:
    """The package, if any, that a storage of this kind is reached by."""
    return _CLIENTS.get(urlsplit(url).scheme, ())
