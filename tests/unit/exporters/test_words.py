"""The words of files: all of them in every language, with the same things to fill in."""

import re
from dataclasses import fields
from string import Formatter

import pytest

from engine.exporters.words import WORDS, Words, words_of

NAMES = [field.name for field in fields(Words)]
_ARABIC = re.compile("[\u0621-\u064a]")


def filled_in(sentence: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(sentence) if name is not None}


@pytest.mark.parametrize("language", [*WORDS])
@pytest.mark.parametrize("name", NAMES)
def test_every_language_has_every_word(language: str, name: str) -> None:
    said = getattr(words_of(language), name)
    assert said.strip()
    assert filled_in(said) == filled_in(getattr(WORDS["en"], name))


@pytest.mark.parametrize("name", NAMES)
def test_arabic_words_are_arabic(name: str) -> None:
    english, arabic = getattr(WORDS["en"], name), getattr(WORDS["ar"], name)
    assert _ARABIC.search(arabic)
    assert not _ARABIC.search(english)
    letters = re.sub(r"\{\w+\}", "", arabic)
    assert not re.search("[a-zA-Z]", letters)
