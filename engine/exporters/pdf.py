"""PDF: a page of HTML and print CSS, laid out by WeasyPrint, which may fetch nothing from outside.

A PDF is laid out whole and for people: memory grows with the rows, and nobody reads page 400. So a
table lists at most `longest_table` rows, its first ones, and says how many there are.
"""

import gc
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, ClassVar
from urllib.parse import urlsplit
from urllib.request import url2pathname

from engine.errors import EngineError, Invalid
from engine.exporters.document import Document
from engine.exporters.pages import OURS, Pages


class PdfUnavailable(EngineError):
    """WeasyPrint, or Pango beneath it, is not installed."""

    message = (
        "PDF files cannot be made here: {problem}; install the extra (pip install 'engine[pdf]') "
        "and Pango (apt-get install libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0)"
    )


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
class PdfExporter:
    """Writes facts, small tables, charts, then the tables."""

    suffix: ClassVar[str] = ".pdf"
    media_type: ClassVar[str] = "application/pdf"
    streams: ClassVar[bool] = False

    pages: Pages = field(default_factory=Pages)
    longest_table: int = 2_000

    def write(self, document: Document, target: BinaryIO) -> int:
        """Write the PDF; return how many rows of the main table it lists."""
        page = self.pages.render(document, self.longest_table)
        write_pdf(page.html, self.pages.folder or OURS, target)
        return page.rows


def write_pdf(html: str, folder: Path, target: BinaryIO) -> None:
    """Lay out `html`; relative URLs are looked up in `folder`, all others are refused."""
    html_class = _weasyprint()
    from weasyprint.urls import FatalURLFetchingError

    fetcher = _fetcher(folder.resolve())
    page = html_class(string=html, base_url=f"{folder.resolve().as_uri()}/", url_fetcher=fetcher)
    try:
        with _collector_paused():
            page.write_pdf(target)
    except FatalURLFetchingError as error:
        if isinstance(error.__cause__, Invalid):
            raise error.__cause__ from None
        raise


def _weasyprint() -> Any:
    """WeasyPrint's HTML class, if it and its system libraries are here."""
    try:
        with warnings.catch_warnings():
            # Without that library fonts are cut to size by fontTools: slower, the same result.
            warnings.filterwarnings("ignore", "HarfBuzz-Subset", DeprecationWarning)
            from weasyprint import HTML
    except (ImportError, OSError) as error:
        raise PdfUnavailable(problem=str(error).partition("\n")[0]) from error
    return HTML


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
    """What WeasyPrint fetches with: files below `folder` and data: URLs, nothing else."""
    from weasyprint.urls import URLFetcher, URLFetcherResponse

    class FolderFetcher(URLFetcher):  # type: ignore[misc]  # has no types
        def fetch(self, url: str, headers: object = None) -> Any:
            parts = urlsplit(url)
            if parts.scheme == "data":
                return super().fetch(url)
            # Resolved first, so that neither `..` nor a symbolic link leads out.
            path = Path(url2pathname(parts.path)).resolve()
            if parts.scheme != "file" or parts.netloc or not path.is_relative_to(folder):
                raise PageReachesOut(url=url, folder=folder)
            if not path.is_file():
                raise PageLacks(url=url, folder=folder)
            return URLFetcherResponse(url, path.read_bytes())

    return FolderFetcher(allowed_protocols={"file", "data"}, fail_on_errors=True)
