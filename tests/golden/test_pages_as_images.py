"""Pages as people see them: images of every page, compared with those that somebody looked at.

`pages/` holds them; after a wanted change, delete what changes, run the tests, look at what was
written anew, and run the tests again.
"""

import io
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageChops

from engine.exporters.pdf.exporter import PdfExporter
from tests.builders.ledger_report import a_ledger_report

GOLDEN = Path(__file__).with_name("pages")
DOTS = "55"  # an inch: enough to read the titles, and to see a letter that moved
_MEAN, _FAR, _MOST_FAR = 1.5, 80, 0.004  # of 255 levels of grey, and of the dots of a page

DOCUMENTS: Mapping[str, dict[str, Any]] = {
    "english": {"language": "en"},
    "arabic": {"language": "ar"},
    "arabic-digits-hijri": {"language": "ar", "digits": "arabic", "hijri": True},
}


def images_of(pdf: bytes, folder: Path) -> list[Image.Image]:
    """Every page of a file, by Poppler."""
    (folder / "file.pdf").write_bytes(pdf)
    subprocess.run(  # noqa: S603
        ["pdftoppm", "-gray", "-r", DOTS, "-png", "file.pdf", "page"],  # noqa: S607
        cwd=folder,
        check=True,
        capture_output=True,
    )
    images = []
    for path in sorted(folder.glob("page-*.png")):
        with Image.open(path) as image:
            images.append(image.convert("L"))
    return images


def distance(image: Image.Image, other: Image.Image) -> tuple[float, float]:
    """How far two images are apart: levels of grey on average, and the part of dots far off."""
    histogram = ImageChops.difference(image, other).histogram()
    dots = sum(histogram)
    mean = sum(level * many for level, many in enumerate(histogram)) / dots
    return mean, sum(histogram[_FAR:]) / dots


@pytest.mark.parametrize("name", [*DOCUMENTS])
@pytest.mark.parametrize("kind", ["designed", "drawn"])
def test_every_page_looks_as_it_did_when_somebody_looked(
    name: str, kind: str, tmp_path: Path
) -> None:
    target = io.BytesIO()
    exporter = PdfExporter(most_designed=40 if kind == "designed" else 10)
    exporter.write(a_ledger_report(36, **DOCUMENTS[name]), target)
    images = images_of(target.getvalue(), tmp_path)
    written = []
    for number, image in enumerate(images, start=1):
        golden = GOLDEN / f"{name}-{kind}-{number}.png"
        if not golden.exists():
            image.quantize(16).save(golden, optimize=True)
            written.append(golden.name)
            continue
        with Image.open(golden) as kept:
            expected = kept.convert("L")
        assert image.size == expected.size
        mean, far = distance(image, expected)
        assert (mean < _MEAN, far < _MOST_FAR) == (True, True), f"{golden}: {mean:.2f}, {far:.4f}"
    assert not written, f"look at these, then run the test again: {written}"
    assert len([*GOLDEN.glob(f"{name}-{kind}-*.png")]) == len(images)


def test_a_page_of_the_other_kind_would_be_noticed(tmp_path: Path) -> None:
    with (
        Image.open(GOLDEN / "arabic-drawn-2.png") as arabic,
        Image.open(GOLDEN / "arabic-digits-hijri-drawn-2.png") as digits,
    ):
        mean, far = distance(arabic.convert("L"), digits.convert("L"))
    assert mean > _MEAN or far > _MOST_FAR
