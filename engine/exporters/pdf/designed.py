"""Designed pages: HTML and print CSS, laid out by WeasyPrint, which may fetch nothing from outside.

They are laid out whole: time and memory grow with their rows, so long tables are no part of them.
"""

import ctypes.util
import gc
import sys
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO
from urllib.parse import urlsplit
from urllib.request import url2pathname

from engine.errors import Invalid
from engine.exporters.fonts import WEIGHTS, font_file
from engine.exporters.pdf.unavailable import PdfUnavailable


class PageReachesOut(Invalid):
    """A template asks for something that is neither inside it nor in the templates folder."""

    message = (
        "a page asks for {url!r}, which it may not read: pictures, fonts and styles must lie in "
        "{folder}, or be inside the page as a data: URL"
    )


class PageLacks(Invalid):
    """A template asks for a file that is not in the templates folder."""

    message = "a page asks for {url!r}, which is not in {folder}"


@dataclass(frozen=True, kw_only=True)
class Attached:
    """A file inside the file, which holds what its pages show."""

    name: str
    content: bytes
    description: str
    made_at: datetime


class Designed:
    """Pages that are laid out."""

    def __init__(self, html: str, folder: Path) -> None:
        html_class = _weasyprint()
        from weasyprint.urls import FatalURLFetchingError

        folder = folder.resolve()
        page = html_class(string=html, base_url=f"{folder.as_uri()}/", url_fetcher=_fetcher(folder))
        try:
            with _collector_paused():
                self._document = page.render()
        except FatalURLFetchingError as error:
            if isinstance(error.__cause__, Invalid):
                raise error.__cause__ from None
            raise

    @property
    def pages(self) -> int:
        """How many there are."""
        return len(self._document.pages)

    def write(self, target: BinaryIO, attached: Sequence[Attached] | None = None) -> None:
        """Write them; with `attached`, be it empty, as PDF/A-3 with those files inside."""
        options: dict[str, Any] = {}
        if attached is not None:
            options = {"pdf_variant": "pdf/a-3u", "attachments": list(map(_attachment, attached))}
        with _collector_paused(), warnings.catch_warnings():
            # It leaves the file of a colour profile to the collector.
            warnings.simplefilter("ignore", ResourceWarning)
            self._document.write_pdf(target, **options)


def write_pdf(html: str, folder: Path, target: BinaryIO) -> None:
    """Lay out `html`; relative URLs are looked up in `folder`, all others are refused."""
    Designed(html, folder).write(target)


def _weasyprint() -> Any:
    """WeasyPrint's HTML class, if it and its system libraries are here."""
    try:
        with warnings.catch_warnings(), _libraries_by_name():
            # Without that library fonts are cut to size by fontTools: slower, the same result.
            warnings.filterwarnings("ignore", "HarfBuzz-Subset", DeprecationWarning)
            from weasyprint import HTML
    except (ImportError, OSError) as error:
        raise PdfUnavailable(problem=str(error).partition("\n")[0]) from error
    return HTML


@contextmanager
def _libraries_by_name() -> Iterator[None]:
    """WeasyPrint tries seven libraries under six names each. For a name that is no file's, Python
    asks the compiler where it is: 54 processes and two seconds, although the next name is right."""
    search = ctypes.util.find_library
    if sys.platform == "linux":
        ctypes.util.find_library = lambda name: None
    try:
        yield
    finally:
        ctypes.util.find_library = search


def _attachment(file: Attached) -> Any:
    from weasyprint import Attachment

    return Attachment(
        string=file.content,
        name=file.name,
        description=file.description,
        created=file.made_at,
        modified=file.made_at,
        relationship="Data",
    )


@contextmanager
def _collector_paused() -> Iterator[None]:
    """Layout makes millions of small objects and no garbage: a third of its time was the
    collector looking for some, with the same peak of memory."""
    paused = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if paused:
            gc.enable()


def _fetcher(folder: Path) -> Any:
    """What WeasyPrint fetches with: files below `folder`, our fonts, data: URLs, nothing else."""
    from weasyprint.urls import URLFetcher, URLFetcherResponse

    class FolderFetcher(URLFetcher):  # type: ignore[misc]  # has no types
        def fetch(self, url: str, headers: object = None) -> Any:
            parts = urlsplit(url)
            if parts.scheme == "data":
                return super().fetch(url)
            if parts.scheme == "font" and parts.path in WEIGHTS:
                return URLFetcherResponse(url, font_file(parts.path).read_bytes())
            # Resolved first, so that neither `..` nor a symbolic link leads out.
            path = Path(url2pathname(parts.path)).resolve()
            if parts.scheme != "file" or parts.netloc or not path.is_relative_to(folder):
                raise PageReachesOut(url=url, folder=folder)
            if not path.is_file():
                raise PageLacks(url=url, folder=folder)
            return URLFetcherResponse(url, path.read_bytes())

    return FolderFetcher(allowed_protocols={"file", "data", "font"}, fail_on_errors=True)
