"""What somebody asks of a report, settled: the period, the values, formats, languages, masks."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, cast
from zoneinfo import ZoneInfo

from engine.errors import Invalid, Refused
from engine.exporters.formats import UnknownFormat
from engine.reporting.definition import FORMATS, ReportDefinition
from engine.reporting.label import Language
from engine.reporting.masking import masked_definition
from engine.reporting.period import ReportPeriod, between, previous, read_period
from engine.reporting.report_params import period_of, values_of

ROWS_ALONE = ("csv", "csv-excel", "jsonl", "parquet")
"""Formats whose files hold one set of rows; a report of several has a file for each."""


class NothingPersonal(Refused):
    """What is somebody's own was asked for, of a report that shows it to nobody."""

    message = (
        "the report {report} shows nobody what is personal; its file would say to whom, as "
        "`personal: {{role: approver}}`"
    )


class NotMadeIn(Invalid):
    """A language was asked for that the report has no words in."""

    message = "the report {report} is not made in {locale!r}; there are: {known}"


class PasswordForPdf(Invalid):
    """Only a PDF can have a password; everything else would be there for everybody to read."""

    message = "a password is for PDF files alone, and {formats} were asked for; say formats=pdf"


class ArchiveIsPdf(Invalid):
    """An archive file was asked for, and no PDF."""

    message = "an archive file is a PDF, and {formats} were asked for; say formats=pdf"


@dataclass(frozen=True, kw_only=True)
class Wish:
    """What was asked for; None is whatever the report itself says."""

    params: Mapping[str, Any] = field(default_factory=dict)
    period: str | None = None
    formats: Sequence[str] | None = None
    locales: Sequence[str] | None = None
    personal: bool = False
    archive: bool = False
    password: str | None = field(default=None, repr=False)


@dataclass(frozen=True, kw_only=True)
class Asked:
    """A report to be made: its definition with masks where they belong, and what it is about."""

    definition: ReportDefinition
    masked: bool
    period: ReportPeriod | None
    values: Mapping[str, Any]
    formats: Sequence[str]
    locales: Sequence[Language]
    day: date

    def file_name(self, locale: Language, dataset: str | None = None) -> str:
        """The name of its files, without a suffix: `daily_sales-2026-11-23-ar`."""
        parts = [self.definition.name, self.period.name if self.period else str(self.day)]
        parts += [dataset] if dataset else []
        parts += [locale] if locale != "en" else []
        return "-".join(parts)


def settle(
    definition: ReportDefinition,
    wish: Wish,
    *,
    at: datetime,
    period: tuple[datetime, datetime] | None = None,
) -> Asked:
    """What is to be made; `at` is when it was due or asked for, `period` what its run reports on.

    Raises WrongPeriod, WrongReportParams, UnknownFormat, NotMadeIn, NothingPersonal,
    PasswordForPdf, ArchiveIsPdf.
    """
    zone = ZoneInfo(definition.timezone)
    about: ReportPeriod | None = None
    if wish.period is not None:
        about = read_period(wish.period, zone, at)
    elif period is not None:
        about = between(*period, zone)
    elif definition.period is not None:
        about = previous(definition.period, zone, at)
    values = values_of(definition, wish.params, about)
    for locale in wish.locales or ():
        if locale not in definition.locales:
            known = ", ".join(definition.locales)
            raise NotMadeIn(report=definition.name, locale=locale, known=known)
    for name in wish.formats or ():
        if name not in FORMATS:
            raise UnknownFormat(name=name, known=", ".join(FORMATS))
    if wish.personal and definition.shows_personal_to is None:
        raise NothingPersonal(report=definition.name)
    formats = tuple(dict.fromkeys(wish.formats or definition.formats))
    if wish.password is not None and formats != ("pdf",):
        raise PasswordForPdf(formats=", ".join(formats))
    if wish.archive and "pdf" not in formats:
        raise ArchiveIsPdf(formats=", ".join(formats))
    masked = definition.is_personal and not wish.personal
    return Asked(
        definition=masked_definition(definition) if masked else definition,
        masked=masked,
        period=period_of(definition, values, about),
        values=values,
        formats=formats,
        locales=tuple(
            dict.fromkeys(cast("Sequence[Language]", wish.locales or definition.locales))
        ),
        day=at.astimezone(zone).date(),
    )
