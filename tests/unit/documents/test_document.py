"""Reading YAML: plain data, places, and what is refused before anything is built."""

import time
from decimal import Decimal
from pathlib import Path

import pytest

from engine.documents.document import Document, parse_document, read_document
from engine.documents.problem import InvalidDocument


def read(text: str) -> Document:
    return parse_document(text.encode(), "a.yaml")


def problems(content: str | bytes) -> list[str]:
    content = content.encode() if isinstance(content, str) else content
    with pytest.raises(InvalidDocument) as caught:
        parse_document(content, "a.yaml")
    assert str(caught.value) == "\n".join(map(str, caught.value.problems))
    return [str(problem) for problem in caught.value.problems]


def test_scalars_are_those_of_yaml_1_2() -> None:
    assert read(
        "a: [yes, no, on, true, False, ~, null, '', 12, -3, 0o17, 0x1F, 017, 2026-01-31, 12_000]"
    ).data["a"] == [
        *("yes", "no", "on", True, False, None, None, ""),
        *(12, -3, 15, 31, 17, "2026-01-31", "12_000"),
    ]


def test_a_number_with_a_point_is_an_exact_decimal() -> None:
    amounts = read("a: [0.10, -1.5e3, .5, 1., 1.2.3, .inf]").data["a"]
    assert amounts[:4] == [Decimal("0.10"), Decimal("-1500"), Decimal("0.5"), Decimal(1)]
    assert str(amounts[0]) == "0.10"
    assert amounts[4:] == ["1.2.3", ".inf"]


def test_quoted_scalars_and_keys_are_text() -> None:
    assert read("1: '1'\non: \"true\"\nnull: |\n  2\n").data == {
        "1": "1",
        "on": "true",
        "null": "2\n",
    }


def test_every_key_and_item_has_its_place() -> None:
    document = read("a: 1\nb:\n  c: [x, {d: 2}]\n  e:\n    - f\n    - g: 3\n")
    assert document.locate(()) == (1, 1)
    assert document.locate(("b",)) == (2, 1)
    assert document.locate(("b", "c")) == (3, 3)
    assert document.locate(("b", "c", 1)) == (3, 10)
    assert document.locate(("b", "c", 1, "d")) == (3, 11)
    assert document.locate(("b", "e", 1, "g")) == (6, 7)


def test_what_is_not_there_is_located_at_what_is_around_it() -> None:
    document = read("a: 1\nb:\n  c: {}\n")
    assert document.locate(("b", "c", "missing", 3, "deeper")) == (3, 3)
    assert document.locate(("other",)) == (1, 1)


def test_an_alias_stands_for_its_anchor_and_is_located_where_the_value_is_written() -> None:
    document = read("a: &shared {x: 1}\nb: *shared\n")
    assert document.data == {"a": {"x": 1}, "b": {"x": 1}}
    assert document.locate(("b",)) == (2, 1)
    assert document.locate(("b", "x")) == (1, 13)


def test_merged_keys_come_second_to_what_the_mapping_says() -> None:
    document = read(
        "base: &base {x: 1, y: 1}\nmore: &more {y: 2, z: {w: 2}}\n"
        "one: {<<: *base, x: 9}\ntwo: {<<: [*base, *more]}\n'<<': text\n"
    )
    assert document.data["one"] == {"x": 9, "y": 1}
    assert document.data["two"] == {"x": 1, "y": 1, "z": {"w": 2}}
    assert document.data["<<"] == "text"
    assert document.locate(("two", "z", "w")) == (2, 24)


def test_a_byte_order_mark_is_left_out() -> None:
    assert parse_document("\ufeffa: 1".encode(), "a.yaml").data == {"a": 1}


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("", "a.yaml:1:1: the file is empty; a mapping (key: value) is due"),
        ("# nothing\n", "a.yaml:1:1: the file is empty; a mapping (key: value) is due"),
        ("\n  word", "a.yaml:2:3: a mapping (key: value) is due, not a single value"),
        ("- a\n", "a.yaml:1:1: a mapping (key: value) is due, not a list"),
        ("a: 1\n---\nb: 2", "a.yaml:2:1: a second document starts here; one file holds one"),
        ("a: 1\nb: {c: 2,\n  c: 3}", "a.yaml:3:3 b.c: the key 'c' is given twice; first on line 2"),
        (
            "a: !!python/object/apply:os.system [x]",
            (
                "a.yaml:1:4 a: the tag !!python/object/apply:os.system is not allowed; "
                "write a plain value"
            ),
        ),
        ("a: [1, !x 2]", "a.yaml:1:8 a[1]: the tag !x is not allowed; write a plain value"),
        ("a: &a [*a]", "a.yaml:1:8 a[0]: the alias *a has no anchor &a above it"),
        ("a: {b: 1, ? [x] : 2}", "a.yaml:1:13 a: a key must be text"),
        ("a: {<<: 3}", "a.yaml:1:9 a.<<: '<<' takes a mapping, or a list of mappings"),
        (b"a: 1\nb: \xff", "a.yaml:2:4: the byte 0xFF is not UTF-8; save as UTF-8"),
        (b"\xef\xbb\xbfa: \xff", "a.yaml:1:4: the byte 0xFF is not UTF-8; save as UTF-8"),
        (b"a: \x00", "a.yaml:1:4: a NUL byte has no place in a text file; remove it"),
        (
            b"\xc3\xa9: \x1b[0m",
            "a.yaml:1:4: the control character U+001B has no place in a text file; remove it",
        ),
        ("a: 1".encode("utf-16"), "a.yaml:1:1: this is UTF-16; save the file as UTF-8"),
        (
            "a:\n\tb: 1\n\tc: 1",
            ("a.yaml:2:1: a tab in the indentation; YAML takes spaces only (also on line 3)"),
        ),
        ("a:\n  - b\n  \t- c", "a.yaml:3:3: a tab in the indentation; YAML takes spaces only"),
        ("a: @b", "a.yaml:1:4: a value cannot start with '@'; put quotes around it"),
        (
            "a: [1,\nb: 2",
            ("a.yaml:2:5: a list in brackets lacks a ',' or its ']' (it starts on line 1)"),
        ),
        (
            "a: " + "9" * 101,
            ("a.yaml:1:4 a: a number of more than 100 digits; if it is text, quote it"),
        ),
        ("a: 1e999999999", "a.yaml:1:4 a: a number with an exponent over 100"),
    ],
)
def test_what_a_configuration_file_has_no_use_for_is_refused(
    content: str | bytes, expected: str
) -> None:
    assert problems(content) == [expected]


def test_a_missing_colon_space_gets_a_hint() -> None:
    assert "a space missing after a ':'" in problems("a:1\nb: 2")[0]


def test_all_problems_are_told_at_once_and_in_order() -> None:
    found = problems("a: !x 1\nb: 2\nb: 3\nc: *nobody\nd: [\n")
    assert [line.split(":")[1] for line in found] == ["1", "3", "4", "6"]


def test_ten_thousand_levels_are_a_problem_and_not_a_crash() -> None:
    for opening in ("[", "{a: ", "- ", "[{a: "):
        (found,) = problems("a:\n  " + opening * 10_000)
        assert "nested deeper than 50 levels" in found


def test_more_than_a_hundred_aliases_are_refused() -> None:
    assert read("a: &a 1\nb: [" + "*a," * 100 + "]").data["b"] == [1] * 100
    assert problems("a: &a 1\nb: [" + "*a," * 101 + "]") == [
        "a.yaml:2:305: more than 100 aliases in one file"
    ]


def test_few_aliases_that_multiply_are_refused() -> None:
    bomb = "a0: &a0 [1,1,1,1,1,1,1,1,1]\n"
    for level in range(1, 10):
        items = ",".join([f"*a{level - 1}"] * 9)
        bomb += f"a{level}: &a{level} [{items}]\n"
    (found,) = problems(bomb)
    assert "the aliases stand for more than 100,000 values" in found


def test_a_file_over_four_megabytes_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "big.yaml"
    path.write_bytes(b"#" * (4 * 1024 * 1024 + 1))
    with pytest.raises(InvalidDocument, match="larger than 4 MB"):
        read_document(path)


def test_a_file_that_is_not_there_is_a_problem_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(InvalidDocument, match=r"none\.yaml:1:1: there is no such file"):
        read_document(tmp_path / "none.yaml")
    with pytest.raises(InvalidDocument, match="cannot be read"):
        read_document(tmp_path)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InvalidDocument, match=r"^sub/none\.yaml:1:1"):
        read_document(tmp_path / "sub" / "none.yaml")


def test_masses_of_problems_end_at_a_hundred_within_a_second() -> None:
    started = time.process_time()
    assert len(problems("a: 1\n" * 500_000)) == 100
    assert time.process_time() - started < 1
