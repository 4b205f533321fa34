"""The engine's own words in files for people, in each language that a document can have."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Words:
    """Everything that a file says by itself; what stands in {braces} is filled in."""

    total: str
    page: str
    period: str
    period_from_to: str
    made: str
    run: str
    rows: str
    none: str
    summary: str
    currency: str
    amount: str
    count: str
    value: str
    snapshot: str
    not_tied_out: str
    now: str
    never_run: str
    totals_off: str
    looked_until: str
    yes: str
    no: str
    sheet: str
    cell: str
    part: str
    text: str
    long_texts: str
    goes_on: str
    no_links: str
    so_many_of: str


WORDS: Mapping[str, Words] = {
    "en": Words(
        total="Total",
        page="Page {page} of {pages}",
        period="Period",
        period_from_to="{start} to {end}",
        made="Made {at}",
        run="Run",
        rows="Rows",
        none="No rows",
        summary="Summary",
        currency="Currency",
        amount="Amount",
        count="Count",
        value="Value",
        snapshot="Read at",
        not_tied_out="{reconciliation} has not tied out for {period}: {why}",
        now="now",
        never_run="it has never run",
        totals_off="its totals of {currencies} are off",
        looked_until="its latest run looked at what was there until {at}",
        yes="Yes",
        no="No",
        sheet="Sheet",
        cell="Cell",
        part="Part",
        text="Text",
        long_texts="Long texts",
        goes_on="… [goes on in sheet {sheet}, row {row}]",
        no_links="Rows after the first {rows} have no links.",
        so_many_of="{shown} of {all} shown",
    ),
    "ar": Words(
        total="الإجمالي",
        page="صفحة {page} من {pages}",
        period="الفترة",
        period_from_to="من {start} إلى {end}",
        made="أُعِدّ في {at}",
        run="عملية التشغيل",
        rows="عدد الصفوف",
        none="لا توجد صفوف",
        summary="الملخص",
        currency="العملة",
        amount="المبلغ",
        count="العدد",
        value="القيمة",
        snapshot="وقت قراءة البيانات",
        not_tied_out="لم تكتمل مطابقة {reconciliation}، {period}: {why}",
        now="الوضع الحالي",
        never_run="لم تُجرَ هذه المطابقة من قبل",
        totals_off="في إجماليات {currencies} فروق غير مفسَّرة",
        looked_until="آخر مطابقة شملت البيانات حتى {at}",
        yes="نعم",
        no="لا",
        sheet="الورقة",
        cell="الخلية",
        part="الجزء",
        text="النص",
        long_texts="نصوص طويلة",
        goes_on="… [يتبع في الورقة {sheet}، الصف {row}]",
        no_links="لا روابط في الصفوف بعد أول {rows}.",
        so_many_of="يظهر {shown} من أصل {all}",
    ),
}


def words_of(language: str) -> Words:
    """The words of a document's language."""
    return WORDS[language]
