"""Writing a report: its documents in every format and language, each file proven and named."""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, replace

from engine.artifact_files.spool import AttemptSpool
from engine.exporters.document import Document, Table
from engine.exporters.recount.figures import Figures
from engine.exporters.recount.layout import layout_of
from engine.reporting.asking import ROWS_ALONE, Asked
from engine.reporting.definition import Dataset
from engine.reporting.label import Language
from engine.reporting.manifest import ReportFacts
from engine.reporting.proof import Dataset as Proven
from engine.reporting.proven import ProvenFile
from engine.reporting.publish import Publisher
from engine.reporting.reading import ReportReading
from engine.reporting.report_documents import ReportDocuments

Tell = Callable[[int, int, str], None]


@dataclass(frozen=True, kw_only=True)
class ReportWriter:
    """Writes one run's files into its spool; `facts` are of the run, whatever the language."""

    publisher: Publisher
    spool: AttemptSpool
    asked: Asked
    reading: ReportReading
    documents: ReportDocuments
    facts: ReportFacts
    tell: Tell

    def write(self, only: Dataset | None = None) -> list[ProvenFile]:
        """Every file of the report, or those of the rows of one dataset."""
        steps = list(self._steps(only))
        files: list[ProvenFile] = []
        for place, (name, locale, formats, document) in enumerate(steps):
            self.tell(place, len(steps), f"writing {name}")
            files += self._write(name, locale, formats, document())
        return files

    def _steps(
        self, only: Dataset | None
    ) -> Iterator[tuple[str, Language, Sequence[str], Callable[[], Document]]]:
        asked = self.asked
        alone = [each for each in asked.formats if each in ROWS_ALONE]
        for locale in asked.locales:
            if only is not None:
                name = asked.file_name(locale, only.name)
                yield name, locale, asked.formats, self._rows_of(only, locale)
                continue
            yield asked.file_name(locale), locale, asked.formats, self._whole(locale)
            for dataset in asked.definition.datasets[1:] if alone else ():
                name = asked.file_name(locale, dataset.name)
                yield name, locale, alone, self._rows_of(dataset, locale)

    def _whole(self, locale: Language) -> Callable[[], Document]:
        return lambda: self.documents.whole(locale)

    def _rows_of(self, dataset: Dataset, locale: Language) -> Callable[[], Document]:
        return lambda: self.documents.rows_of(dataset, locale)

    def _write(
        self, name: str, locale: Language, formats: Sequence[str], document: Document
    ) -> Sequence[ProvenFile]:
        facts = replace(self.facts, locale=locale)
        datasets = [self._proven(table) for table in document.tables]
        document = replace(document, properties=facts.properties(datasets))
        pairs = [(each, document) for each in formats]
        return self.publisher.write_report(self.spool, name, pairs, facts, datasets)

    def _proven(self, table: Table) -> Proven:
        """What was read of a table, beside what the source itself says of it."""
        layout = layout_of(table)
        added = {column.name for _, column in layout.added()}
        extract = self.reading.extract
        return Proven(
            layout=layout,
            read=_of(extract.read(table.name), added),
            asked=_of(extract.totals(table.name), added),
        )


def _of(figures: Figures, columns: Collection[str]) -> Figures:
    """The sums of the columns that this table shows as they are, and not masked."""
    sums = figures.sums
    if sums is not None:
        sums = {key: total for key, total in sums.items() if key.column in columns}
    return Figures(rows=figures.rows, sums=sums)
