"""A ledger export in English or Arabic with a column of every kind, as long as a test wants it."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any, Literal

from engine.exporters.document import (
    Bar,
    BarChart,
    Column,
    Document,
    Fact,
    Kind,
    Notice,
    Row,
    Stream,
    Table,
)

MADE_AT = datetime(2026, 11, 30, 3, 0, tzinfo=UTC)
Language = Literal["en", "ar"]

_NAMES = {
    "en": ("Ahmad", "Sara", "Noura", "Khalid", "Office"),
    "ar": ("أحمد", "سارة", "نورة", "خالد", "مُحَمَّد"),
}
_SCHOOLS = {
    "en": ("North School", "King Faisal School", "Al Noor Academy"),
    "ar": ("مدرسة الشمال", "مدرسة الملك فيصل", "أكاديمية النور"),
}
_TEXTS = {
    "en": (
        "Wallet top-up",
        "Refund of a meal",
        "Fee of 2026-11-24 for (-45.00) SAR, of which the reason is too long for one line",
        "شحن رصيد W-7",
    ),
    "ar": (
        "شحن رصيد",
        "استرداد (وجبة)",
        "رسوم بتاريخ 2026-11-24 بمبلغ (-45.00) ريال برقم SA03 8000 0000 6080 1016 7519",
        "Wallet top-up",
    ),
}


def ledger_columns(language: Language) -> list[Column]:
    """A column of every kind."""

    def said(english: str, arabic: str) -> str:
        return arabic if language == "ar" else english

    return [
        Column(name="id", title=said("Entry", "القيد")),
        Column(name="wallet", title=said("Wallet", "المحفظة"), link="https://example.com/w/{}"),
        Column(name="student", title=said("Student", "الطالب")),
        Column(name="text", title=said("Description", "الوصف"), width=30),
        Column(name="currency", title=said("Currency", "العملة")),
        Column(
            name="amount",
            title=said("Amount", "المبلغ"),
            kind=Kind.MONEY,
            currency_column="currency",
            total=True,
        ),
        Column(name="share", title=said("Share", "النسبة"), kind=Kind.PERCENT),
        Column(name="at", title=said("Booked at", "وقت القيد"), kind=Kind.DATETIME),
        Column(name="day", title=said("Value date", "تاريخ الاستحقاق"), kind=Kind.DATE),
        Column(name="settled", title=said("Settled", "مسوى"), kind=Kind.BOOLEAN),
        Column(name="machine", title="machine", hidden=True),
    ]


def ledger_rows(how_many: int, language: Language) -> Iterator[Row]:
    """Rows that are the same each time."""
    names, texts = _NAMES[language], _TEXTS[language]
    for number in range(how_many):
        yield (
            f"E-{number:07d}",
            f"W-{number * 7919 % 5000:05d}",
            f"{names[number % 5]} {names[number // 5 % 5]}",
            texts[number % 4],
            ("SAR", "KWD")[number % 2],
            number * 104_729 % 9_000_000 - 500_000,
            Decimal(number * 37 % 1000) / 1000,
            datetime(2026, 11, 24, tzinfo=UTC) + timedelta(seconds=number * 37),
            date(2026, 1, 1) + timedelta(days=number % 300),
            number % 3 == 0,
            "for machines",
        )


def a_ledger_report(how_many: int, language: Language = "en", **options: Any) -> Document:
    """Facts, a summary, a chart, and the ledger with its totals."""

    def said(english: str, arabic: str) -> str:
        return arabic if language == "ar" else english

    schools = _SCHOOLS[language]
    summary = Table(
        name="schools",
        title=said("By school", "حسب المدرسة"),
        columns=[
            Column(name="school", title=said("School", "المدرسة")),
            Column(name="entries", title=said("Entries", "عدد القيود"), kind=Kind.INTEGER),
            Column(name="amount", title=said("Amount", "المبلغ"), kind=Kind.MONEY, currency="SAR"),
        ],
        rows=[(school, at * 1_000 + 7, -123_456 * at) for at, school in enumerate(schools)],
        totals=[(None, 3_021, -370_368)],
    )
    ledger = Table(
        name="entries",
        title=said("Entries", "القيود"),
        note=said("In the order of booking.", "بترتيب القيد."),
        columns=ledger_columns(language),
        rows=Stream(lambda: ledger_rows(how_many, language)),
        totals=[
            (None, None, None, None, "SAR", 123_456_789_012, *(None,) * 5),
            (None, None, None, None, "KWD", -98_765_432, *(None,) * 5),
        ],
    )
    return Document(
        title=said("Ledger of November 2026", "دفتر الأستاذ لشهر 2026-11"),
        subtitle=said("2026-11-01 to 2026-11-30", "الفترة من 2026-11-01 إلى 2026-11-30"),
        language=language,
        made_at=MADE_AT,
        timezone="Asia/Riyadh",
        confidentiality=said("Confidential: finance only", "سري: للإدارة المالية فقط"),
        notices=[
            Notice(
                code="TIES OUT",
                text=said("all agrees", "كل شيء متطابق (-45.00) في 2026-11-24"),
                grave=False,
            )
        ],
        facts=[
            Fact(label=said("Net", "الصافي"), value=-4_500, currency="SAR"),
            Fact(label=said("Cut-off", "تاريخ القطع"), value=MADE_AT),
        ],
        summaries=[summary],
        charts=[
            BarChart(
                title=said("Entries by school", "القيود حسب المدرسة"),
                bars=[Bar(label=school, value=at * 10 + 3) for at, school in enumerate(schools)],
            )
        ],
        tables=[ledger],
        properties={"run": "RC-20261124-7K3F9", "definition hash": "ab" * 8},
        **options,
    )
