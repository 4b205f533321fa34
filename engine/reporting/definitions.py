"""Reports by name: one YAML file each in the folder `reports`."""

import hashlib
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any, get_args
from zoneinfo import ZoneInfo

from engine.documents.closest import suggestion
from engine.documents.document import Document, read_document
from engine.documents.problem import InvalidDocument, KeyPath, Problem
from engine.documents.validation import validate
from engine.errors import EngineError, Invalid, Unreachable
from engine.reporting.definition import FORMATS, Dataset, ReportDefinition
from engine.reporting.definition_checks import misfits, unknown_requirements
from engine.reporting.definition_file import ReportModel
from engine.reporting.period import ReportPeriod, WrongPeriod, read_period
from engine.reporting.report_params import bound, wrong_ends, wrong_in
from engine.reporting.shown_params import referring
from engine.reporting.template_file import wrong_template
from engine.schedules.period import PeriodKind
from engine.sources.catalog import Sources
from engine.sources.faults import InvalidQuery, UnknownSource
from engine.sources.folder import Folder

_SOME_DAY = datetime(2026, 1, 31, tzinfo=UTC)


class UnknownReport(Invalid):
    """A caller named a report that no file defines."""

    message = "no report is named {name!r}; {suggestion}"


class UnknownDataset(Invalid):
    """A caller named a dataset that a report has not."""

    message = "the report {report} has no dataset {name!r}; {suggestion}"


@dataclass(frozen=True, kw_only=True)
class ReportDefinitions(Collection[str]):
    """The reports of one folder; each is read, and checked, when it is asked for.

    As a collection it holds their names.
    """

    folder: Path
    templates: Path
    open_sources: Callable[[], Sources]
    reconciliations: Collection[str] = ()
    _sound: dict[str, tuple[int, ReportDefinition]] = field(
        default_factory=dict, repr=False, compare=False
    )

    @cached_property
    def sources(self) -> Sources:
        """The sources of this machine; asked for only where one of them matters."""
        return self.open_sources()

    def __iter__(self) -> Iterator[str]:
        """Every name, sorted."""
        return iter(sorted(path.stem for path in self.folder.glob("*.yaml")))

    def __len__(self) -> int:
        """How many there are."""
        return sum(1 for _ in self)

    def __contains__(self, name: object) -> bool:
        """Whether there is such a file."""
        return name in list(self)

    def load(self, name: str) -> ReportDefinition:
        """The report named `name`; raises UnknownReport, or InvalidDocument."""
        document, definition = self._read(name)
        problems = [*self._problems(document, definition), *self._sources(document, definition)]
        if problems:
            raise InvalidDocument(problems)
        return definition

    def written(self, name: str) -> ReportDefinition:
        """The same, whatever sources this machine has.

        Thousands of schedules may name one report, which is read again only if it has changed.
        """
        changed_at = self._changed_at(name)
        known = self._sound.get(name)
        if known is not None and known[0] == changed_at:
            return known[1]
        document, definition = self._read(name)
        if problems := list(self._problems(document, definition)):
            raise InvalidDocument(problems)
        self._sound[name] = (changed_at, definition)
        return definition

    def check(self, name: str) -> tuple[ReportDefinition, Sequence[str]]:
        """The report, its queries held against its source, and what could not be checked.

        Raises InvalidDocument.
        """
        document, definition = self._read(name)
        problems = [*self._problems(document, definition), *self._sources(document, definition)]
        unchecked: list[str] = []
        if not problems:
            for dataset in definition.datasets:
                try:
                    found = list(self._against_source(definition, dataset, document))
                except Unreachable as error:
                    unchecked.append(str(error))
                    break
                problems += [document.problem(path, message) for path, message in found]
        if problems:
            raise InvalidDocument(problems)
        return definition, unchecked

    def wrong(self, name: str, params: Mapping[str, Any]) -> Iterator[tuple[KeyPath, str]]:
        """What is wrong with a run of that report, by the params of the job that runs it."""
        try:
            definition = self.written(name)
        except EngineError as error:
            first = str(error).partition("\n")[0]
            yield ("name",), f"this report cannot be run: {first}"
            return
        if params.get("personal") and definition.shows_personal_to is None:
            yield ("personal",), f"the report {name} shows nobody what is personal; see its file"
        if (dataset := params.get("dataset")) is not None:
            names = [each.name for each in definition.datasets]
            if dataset not in names:
                text = f"the report {name} has no dataset {dataset!r}"
                yield ("dataset",), f"{text}; {suggestion(dataset, names)}"
        given = params.get("params") or {}
        referred = list(referring(given))
        yield from referred or _wrong_times(definition, given, params.get("period"))
        for kind, noun, known in (
            ("formats", "no format is named {!r}", FORMATS),
            ("locales", f"the report {name} is not made in {{!r}}", definition.locales),
        ):
            for each in params.get(kind) or ():
                if each not in known:
                    yield (kind,), f"{noun.format(each)}; {suggestion(each, known)}"

    def role_for(self, name: str, params: Mapping[str, Any]) -> str | None:
        """The role that a run with these params takes, beyond that of running anything."""
        return self.written(name).shows_personal_to if params.get("personal") else None

    def hides(self, name: str, param: str) -> bool:
        """Whether this param of the report is personal; all are while its file is not sound."""
        try:
            known = self.written(name).params.get(param)
        except EngineError:
            return True
        return known is not None and known.personal

    def require_dataset(self, definition: ReportDefinition, name: str) -> None:
        """Raise UnknownDataset unless the report has it."""
        names = [each.name for each in definition.datasets]
        if name not in names:
            hint = suggestion(name, names)
            raise UnknownDataset(report=definition.name, name=name, suggestion=hint)

    def hash_of(self, name: str) -> str:
        """The SHA-256 of the report's file."""
        return _hash(self.folder / f"{name}.yaml")

    def hash_of_template(self, definition: ReportDefinition) -> str | None:
        """The SHA-256 of the template that it names; None if it names none."""
        return _hash(self.templates / definition.template) if definition.template else None

    def _changed_at(self, name: str) -> int:
        file = self.folder / f"{name}.yaml"
        return file.stat().st_mtime_ns if file.is_file() else 0

    def _read(self, name: str) -> tuple[Document, ReportDefinition]:
        if name not in self:
            raise UnknownReport(name=name, suggestion=suggestion(name, self))
        document = read_document(self.folder / f"{name}.yaml")
        return document, validate(document, ReportModel).parsed(name)

    def _problems(self, document: Document, definition: ReportDefinition) -> Iterator[Problem]:
        for path, message in misfits(definition, document.data):
            yield document.problem(path, message)
        for path, message in unknown_requirements(definition, self.reconciliations):
            yield document.problem(path, message)
        template = definition.template
        if template is not None and (wrong := wrong_template(self.templates, template)):
            yield document.problem(("template",), wrong)

    def _sources(self, document: Document, definition: ReportDefinition) -> Iterator[Problem]:
        """What only the settings of this machine can tell."""
        try:
            source = self.sources.get(definition.source)
        except UnknownSource as error:
            yield document.problem(("source",), str(error))
            return
        if isinstance(source, Folder):
            text = f"{source.name!r} is a folder; a report asks a database"
            yield document.problem(("source",), text)

    def _against_source(
        self, definition: ReportDefinition, dataset: Dataset, document: Document
    ) -> Iterator[tuple[KeyPath, str]]:
        path: KeyPath = ("datasets", dataset.name) if "datasets" in document.data else ()
        try:
            given = self._columns(definition, dataset)
        except InvalidQuery as error:
            yield (*path, "query"), str(error.facts["reason"])
            return
        declared = {column.name for column in dataset.columns}
        for name in given:
            if name not in declared:
                text = (
                    f"the query gives {name!r}, which is not declared; {suggestion(name, declared)}"
                )
                yield (*path, "query"), text
        for name in declared:
            if name not in given:
                text = f"the query gives no column {name!r}; {suggestion(name, given)}"
                yield (*path, "columns", name), text

    def _columns(self, definition: ReportDefinition, dataset: Dataset) -> Collection[str]:
        source = self.sources.get(definition.source)
        if isinstance(source, Folder):  # which was refused before
            return ()
        return source.columns(dataset.query, bound(definition, dataset, {}))


def _wrong_times(
    definition: ReportDefinition, given: Mapping[str, Any], text: str | None
) -> Iterator[tuple[KeyPath, str]]:
    """What is wrong with the params and the period that were given, and with both together."""
    period: ReportPeriod | None = None
    wrong: list[tuple[KeyPath, str]] = []
    try:
        period = read_period(text, ZoneInfo(definition.timezone), _SOME_DAY) if text else None
    except WrongPeriod as error:
        wrong.append((("period",), str(error)))
    wrong += [(("params", name), message) for name, message in wrong_in(definition, given)]
    yield from wrong
    if not wrong:
        days = period if text not in get_args(PeriodKind) else None  # which are those of no run yet
        for name, message in wrong_ends(definition, given, days):
            yield ("params", name), message


def _hash(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()
