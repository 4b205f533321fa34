"""Names for the demo's people and schools, each in Arabic and in English."""

from typing import NamedTuple


class Name(NamedTuple):
    """One name, written both ways."""

    ar: str
    en: str


MEN = (
    Name("محمد", "Mohammed"),
    Name("عبدالله", "Abdullah"),
    Name("فهد", "Fahad"),
    Name("خالد", "Khalid"),
    Name("سعود", "Saud"),
    Name("تركي", "Turki"),
    Name("فيصل", "Faisal"),
    Name("عبدالرحمن", "Abdulrahman"),
    Name("سلطان", "Sultan"),
    Name("ناصر", "Nasser"),
    Name("بندر", "Bandar"),
    Name("ماجد", "Majed"),
    Name("ياسر", "Yasser"),
    Name("عمر", "Omar"),
    Name("راكان", "Rakan"),
    Name("مشعل", "Mishal"),
    Name("يزيد", "Yazeed"),
    Name("أنس", "Anas"),
    Name("زياد", "Ziyad"),
)

WOMEN = (
    Name("نورة", "Noura"),
    Name("سارة", "Sarah"),
    Name("ريم", "Reem"),
    Name("لمى", "Lama"),
    Name("هند", "Hind"),
    Name("العنود", "Alanoud"),
    Name("جواهر", "Jawaher"),
    Name("منيرة", "Munira"),
    Name("شهد", "Shahad"),
    Name("غادة", "Ghada"),
    Name("رهف", "Rahaf"),
    Name("أمل", "Amal"),
    Name("دانة", "Dana"),
    Name("لطيفة", "Latifa"),
    Name("وجدان", "Wejdan"),
    Name("جود", "Joud"),
    Name("ليان", "Layan"),
)

FAMILIES = (
    Name("العتيبي", "Al-Otaibi"),
    Name("القحطاني", "Al-Qahtani"),
    Name("الغامدي", "Al-Ghamdi"),
    Name("الزهراني", "Al-Zahrani"),
    Name("الشهري", "Al-Shehri"),
    Name("الدوسري", "Al-Dosari"),
    Name("الحربي", "Al-Harbi"),
    Name("المطيري", "Al-Mutairi"),
    Name("السبيعي", "Al-Subaie"),
    Name("العنزي", "Al-Anazi"),
    Name("الشمري", "Al-Shammari"),
    Name("البقمي", "Al-Buqami"),
    Name("المالكي", "Al-Malki"),
    Name("العسيري", "Al-Asiri"),
    Name("الرشيدي", "Al-Rashidi"),
    Name("الجهني", "Al-Juhani"),
    Name("السلمي", "Al-Sulami"),
    Name("التميمي", "Al-Tamimi"),
    Name("الخالدي", "Al-Khalidi"),
    Name("اليامي", "Al-Yami"),
    Name("البلوي", "Al-Balawi"),
    Name("الفيفي", "Al-Faifi"),
    Name("العمري", "Al-Omari"),
)

SCHOOLS = (
    Name("ابن خلدون", "Ibn Khaldun"),
    Name("ابن سينا", "Ibn Sina"),
    Name("الفارابي", "Al-Farabi"),
    Name("الرواد", "Al-Rowad"),
    Name("المنهل", "Al-Manhal"),
    Name("دار العلوم", "Dar Al-Uloom"),
    Name("نجد", "Najd"),
    Name("الأندلس", "Al-Andalus"),
    Name("الفيصلية", "Al-Faisaliah"),
    Name("طويق", "Tuwaiq"),
    Name("اليمامة", "Al-Yamamah"),
    Name("الياسمين", "Al-Yasmin"),
    Name("النخيل", "Al-Nakheel"),
)

CITIES = (
    Name("الرياض", "Riyadh"),
    Name("جدة", "Jeddah"),
    Name("الدمام", "Dammam"),
    Name("الخبر", "Khobar"),
    Name("أبها", "Abha"),
    Name("بريدة", "Buraydah"),
    Name("تبوك", "Tabuk"),
)

STAGES = {
    "primary": Name("الابتدائية", "Primary School"),
    "intermediate": Name("المتوسطة", "Intermediate School"),
    "secondary": Name("الثانوية", "Secondary School"),
}
