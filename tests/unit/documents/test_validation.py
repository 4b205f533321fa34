"""pydantic's errors, at their lines and in plain words."""

from decimal import Decimal
from typing import Annotated, Literal

import pytest
from pydantic import BaseModel, ConfigDict, Field, field_validator

from engine.documents.document import parse_document
from engine.documents.problem import InvalidDocument
from engine.documents.validation import validate


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Limits(Strict):
    at_most: int = Field(default=1, ge=1)
    share: Decimal = Decimal(0)


class Wheel(Strict):
    kind: Literal["wheel"]
    size: int


class Pedal(Strict):
    kind: Literal["pedal"]
    side: Literal["left", "right"]


class Bicycle(Strict):
    name: str
    limits: Limits | Literal["none"] | None = None
    parts: list[Annotated[Wheel | Pedal, Field(discriminator="kind")]] = []
    notes: dict[str, Limits] = {}
    colour: Literal["red", "green"] = "red"
    electric: bool = False
    mode: str | list[str] = ""
    size: int = Field(default=1, alias="frame-size")

    @field_validator("name")
    @classmethod
    def _known(cls, name: str) -> str:
        if name == "car":
            raise ValueError("a car is not a bicycle")
        return name


def problems(text: str) -> list[str]:
    with pytest.raises(InvalidDocument) as caught:
        validate(parse_document(text.encode(), "a.yaml"), Bicycle)
    return [str(problem).removeprefix("a.yaml:") for problem in caught.value.problems]


def test_a_right_document_becomes_its_model() -> None:
    text = "name: x\nlimits: {share: 0.10}\nparts: [{kind: wheel, size: 28}]\nframe-size: 3"
    bicycle = validate(parse_document(text.encode(), "a.yaml"), Bicycle)
    assert bicycle.limits == Limits(share=Decimal("0.10"))
    assert bicycle.parts == [Wheel(kind="wheel", size=28)]
    assert bicycle.size == 3


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("colour: red", ["1:1: the key 'name' is missing"]),
        ("name: car", ["1:1 name: a car is not a bicycle"]),
        ("name: 5", ["1:1 name: must be text, not the number 5; put it in quotes if it is text"]),
        ("name: ~", ["1:1 name: must be text, not nothing"]),
        ("name: [a]", ["1:1 name: must be text, not a list"]),
        ("name: x\ncolor: red", ["2:1 color: unknown key 'color'; did you mean 'colour'?"]),
        ("nmae: x", ["1:1 nmae: unknown key 'nmae'; did you mean 'name'?"]),
        (
            "name: x\nframesize: 2",
            ["2:1 framesize: unknown key 'framesize'; did you mean 'frame-size'?"],
        ),
        (
            "name: x\ncolour: gren",
            ["2:1 colour: must be 'red' or 'green', not 'gren'; did you mean 'green'?"],
        ),
        ("name: x\nelectric: 7", ["2:1 electric: must be true or false, not the number 7"]),
        ("name: x\nnotes: [a]", ["2:1 notes: must be a mapping (key: value), not a list"]),
        ("name: x\nparts: a", ["2:1 parts: must be a list, not 'a'"]),
        ("name: x\nnotes:\n  a: {at_most: 0}", ["3:7 notes.a.at_most: must be at least 1, not 0"]),
        (
            "name: x\nnotes:\n  a: {at_least: 1}",
            ["3:7 notes.a.at_least: unknown key 'at_least'; did you mean 'at_most'?"],
        ),
        (
            "name: x\nnotes:\n  a: {zzz: 1}",
            ["3:7 notes.a.zzz: unknown key 'zzz'; known: at_most, share"],
        ),
        (
            "name: x\nlimits:\n  at_most: many",
            ["3:3 limits.at_most: must be a whole number, not 'many'"],
        ),
        (
            "name: x\nlimits:\n  at_most: 1.5",
            ["3:3 limits.at_most: must be a whole number, not the number 1.5"],
        ),
        (
            "name: x\nlimits: [1]",
            ["2:1 limits: must be a mapping (key: value) or 'none', not a list"],
        ),
        (
            "name: x\nlimits: nine",
            [
                (
                    "2:1 limits: must be a mapping (key: value) or 'none', not 'nine'; "
                    "did you mean 'none'?"
                )
            ],
        ),
        ("name: x\nmode: 5", ["2:1 mode: must be text or a list, not the number 5"]),
        (
            "name: x\nparts:\n  - kind: wheel\n    size: big\n  - kind: pedal\n    side: top",
            [
                "4:5 parts[0].size: must be a whole number, not 'big'",
                "6:5 parts[1].side: must be 'left' or 'right', not 'top'",
            ],
        ),
        (
            "name: x\nparts:\n  - kind: weel",
            [("3:5 parts[0].kind: must be 'wheel' or 'pedal', not 'weel'; did you mean 'wheel'?")],
        ),
        ("name: x\nparts:\n  - {}", ["3:5 parts[0]: the key 'kind' is missing"]),
    ],
)
def test_each_error_says_where_and_what_to_do(text: str, expected: list[str]) -> None:
    assert problems(text) == expected


def test_all_errors_come_at_once_in_the_order_of_the_lines() -> None:
    text = "electric: 7\ncolour: blue\nnotes:\n  b: {at_most: x}\n  a: {at_most: y}\n"
    assert [found.partition(":")[0] for found in problems(text)] == ["1", "1", "2", "4", "5"]
