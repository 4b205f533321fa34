"""Pages: the HTML a PDF is made from, by Jinja2 from our own page or a template of the user's.

A template may extend `table.html`, fill its blocks, and use what `_context` hands over: texts that
are already formatted and of which only the charts are markup. Everything else is escaped.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.errors import Invalid
from engine.exporters.arabic import direction
from engine.exporters.cells import legible
from engine.exporters.chart import bar_chart
from engine.exporters.document import BarChart, Document
from engine.exporters.fonts import FALLBACK, FAMILY, WEIGHTS
from engine.exporters.held import Held
from engine.exporters.page_table import page_table
from engine.exporters.shown import Shown
from engine.exporters.theme import Theme, theme_of

if TYPE_CHECKING:
    from jinja2 import Environment

OURS = Path(__file__).with_name("pages")
_LONGEST_TEXT = 300  # characters of one fact
_LONGEST_NOTICE = 1_000


class BadTemplate(Invalid):
    """A template cannot be rendered."""

    message = "template {name!r} in {folder}: {problem}"


@dataclass(frozen=True)
class Pages:
    """Renders documents with the templates of `folder`, or with ours if there is no folder."""

    folder: Path | None = None

    @property
    def theme(self) -> Theme:
        """What the pages look like."""
        return theme_of(self.folder)

    def render(
        self, shown: Shown, held: Held, *, landscape: bool = True, pages: int | None = None
    ) -> str:
        """The designed pages of a document; `pages` is how many there are with those drawn."""
        from jinja2 import TemplateError, TemplateNotFound, TemplateSyntaxError

        context = _context(shown, held, self.theme, landscape, pages)
        named = shown.document.template
        if named is None or self.folder is None or named.endswith(".xlsx"):  # of workbooks alone
            named = "table.html"
        try:
            return self._environment.get_template(named).render(context)
        except TemplateNotFound as error:
            problem = f"there is no page {error.name!r}"
            raise BadTemplate(name=named, folder=self.folder or OURS, problem=problem) from error
        except TemplateError as error:
            where = f"line {error.lineno}: " if isinstance(error, TemplateSyntaxError) else ""
            raise BadTemplate(
                name=named, folder=self.folder or OURS, problem=f"{where}{error}"
            ) from error

    @cached_property
    def _environment(self) -> "Environment":
        from jinja2 import Environment, FileSystemLoader, StrictUndefined

        # The user's folder first, so that a template may replace ours or build on it.
        folders = [folder for folder in (self.folder, OURS) if folder is not None]
        environment = Environment(
            loader=FileSystemLoader(folders),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        environment.filters["direction"] = direction
        return environment


def _context(
    shown: Shown, held: Held, theme: Theme, landscape: bool, pages: int | None
) -> Mapping[str, Any]:
    from markupsafe import Markup

    document = shown.document
    return {
        **_looks(document, theme, landscape),
        "words": shown.words,
        "numbering": Markup(_numbering(shown, pages)),  # noqa: S704 - words of ours
        "title": shown.sentence(document.title),
        "subtitle": shown.sentence(document.subtitle),
        "confidentiality": shown.sentence(document.confidentiality),
        "plain": {"title": legible(document.title), "subtitle": legible(document.subtitle)},
        "keywords": legible(", ".join(document.keywords)),
        "made": shown.made(),
        "created": f"{document.made_at.isoformat(timespec='seconds')}",
        "notices": [
            (notice.code, shortened(shown.sentence(notice.text), _LONGEST_NOTICE), notice.grave)
            for notice in document.notices
        ],
        "facts": [
            (shown.sentence(fact.label), shortened(shown.fact(fact), _LONGEST_TEXT))
            for fact in document.facts
        ],
        "summaries": [page_table(table, landscape) for table in held.summaries],
        "charts": [
            (shown.sentence(chart.title), _drawing(chart, document.rtl))
            for chart in document.charts
        ],
        "tables": [page_table(table, landscape) for table in held.tables],
    }


def _drawing(chart: BarChart, rtl: bool) -> Any:
    """A chart with the letters of its page, instead of those that a browser is likely to have."""
    from markupsafe import Markup

    return Markup(bar_chart(chart, rtl=rtl).replace(FALLBACK, FAMILY))  # noqa: S704 - escapes all


def _looks(document: Document, theme: Theme, landscape: bool) -> Mapping[str, Any]:
    return {
        "language": document.language,
        "direction": "rtl" if document.rtl else "ltr",
        "start": "right" if document.rtl else "left",
        "end": "left" if document.rtl else "right",
        "landscape": landscape,
        "theme": theme,
        "family": FAMILY,
        "fallback": FALLBACK,
        "weights": WEIGHTS.items(),
    }


def _numbering(shown: Shown, pages: int | None) -> str:
    """What CSS shows as the number of a page."""
    style = ", arabic-indic" if shown.document.digits == "arabic" else ""
    total = f'"{shown.number(pages)}"' if pages else f"counter(pages{style})"
    before, _, rest = shown.words.page.partition("{page}")
    between, _, after = rest.partition("{pages}")
    return f'"{before}" counter(page{style}) "{between}" {total} "{after}"'


def shortened(text: str, longest: int) -> str:
    """A text that is not longer than that."""
    return text if len(text) <= longest else f"{text[: longest - 1]}…"
