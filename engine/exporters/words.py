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
    cut_off: str
    made: str
    made_by: str
    run: str
    report: str
    row: str
    rows: str
    rows_count: str
    none: str
    some_of: str
    control_totals: str
    checked: str
    notes: str
    summary: str
    contents: str
    chart: str
    continued: str
    confidential: str
    internal: str
    parameters: str
    currency: str
    amount: str
    count: str
    code: str
    meaning: str
    value: str
    definition: str
    version: str
    sha256: str
    snapshot: str
    timezone: str
    asked_by: str
    not_tied_out: str
    yes: str
    no: str
    sheet: str
    cell: str
    part: str
    text: str
    long_texts: str
    goes_on: str
    no_links: str


WORDS: Mapping[str, Words] = {
    "en": Words(
        total="Total",
        page="Page {page} of {pages}",
        period="Period",
        period_from_to="{start} to {end}",
        cut_off="Cut-off",
        made="Made {at}",
        made_by="Made by {name}",
        run="Run",
        report="Report",
        row="Row",
        rows="Rows",
        rows_count="{rows} rows",
        none="None",
        some_of="The first {shown} of {rows} rows; the other formats have all of them.",
        control_totals="Control totals",
        checked="Checked",
        notes="Notes",
        summary="Summary",
        contents="Contents",
        chart="Chart",
        continued="{title} (continued)",
        confidential="Confidential",
        internal="Internal",
        parameters="Parameters",
        currency="Currency",
        amount="Amount",
        count="Count",
        code="Code",
        meaning="Meaning",
        value="Value",
        definition="Definition",
        version="Version",
        sha256="SHA-256",
        snapshot="Read at",
        timezone="Time zone",
        asked_by="Asked for by",
        not_tied_out="Not reconciled: {reconciliation} has not tied out for this period",
        yes="Yes",
        no="No",
        sheet="Sheet",
        cell="Cell",
        part="Part",
        text="Text",
        long_texts="Long texts",
        goes_on="… [goes on in sheet {sheet}, row {row}]",
        no_links="Rows after the first {rows} have no links.",
    ),
    "ar": Words(
        total="الإجمالي",
        page="صفحة {page} من {pages}",
        period="الفترة",
        period_from_to="من {start} إلى {end}",
        cut_off="تاريخ القطع",
        made="أُعِدّ في {at}",
        made_by="أعدّه {name}",
        run="عملية التشغيل",
        report="التقرير",
        row="الصف",
        rows="عدد الصفوف",
        rows_count="عدد الصفوف: {rows}",
        none="لا يوجد",
        some_of="أول {shown} من أصل {rows} صفًا؛ أما الصيغ الأخرى فتتضمن الصفوف كلها.",
        control_totals="إجماليات المراقبة",
        checked="تم التحقق",
        notes="ملاحظات",
        summary="الملخص",
        contents="المحتويات",
        chart="رسم بياني",
        continued="{title} (تابع)",
        confidential="سري",
        internal="للاستخدام الداخلي",
        parameters="المعاملات",
        currency="العملة",
        amount="المبلغ",
        count="العدد",
        code="الرمز",
        meaning="المعنى",
        value="القيمة",
        definition="تعريف التقرير",
        version="الإصدار",
        sha256="SHA-256",
        snapshot="وقت قراءة البيانات",
        timezone="المنطقة الزمنية",
        asked_by="بطلب من",
        not_tied_out="لم تتم المطابقة: نتائج {reconciliation} غير متطابقة لهذه الفترة",
        yes="نعم",
        no="لا",
        sheet="الورقة",
        cell="الخلية",
        part="الجزء",
        text="النص",
        long_texts="نصوص طويلة",
        goes_on="… [يتبع في الورقة {sheet}، الصف {row}]",
        no_links="لا روابط في الصفوف بعد أول {rows}.",
    ),
}


def words_of(language: str) -> Words:
    """The words of a document's language."""
    return WORDS[language]
