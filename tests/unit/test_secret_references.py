"""References to secrets: what is one, where it is looked up, what is put in its place."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.secret_references import (
    NoSuchSecret,
    SecretSource,
    filled,
    has_references,
    is_reference,
    references_in,
)
from engine.settings import Settings, load_settings

VALUE = {"a": ["x ${secret:one}-${secret:two} y", 1, None], "b": "$${secret:one} ${secret:one}"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with the secret `one`."""
    folder = tmp_path / "secrets"
    folder.mkdir()
    (folder / "one").write_text("hush\n")
    return folder


def test_references_are_found_wherever_text_is() -> None:
    assert list(references_in(VALUE)) == ["one", "two", "one"]
    assert list(references_in([1, None, "$${secret:one}", "secret:one"])) == []


def test_secrets_take_the_place_of_their_references_and_are_not_read_again() -> None:
    secrets = {"one": "${secret:two}", "two": "2"}
    assert filled(VALUE, secrets.__getitem__) == {
        "a": ["x ${secret:two}-2 y", 1, None],
        "b": "${secret:one} ${secret:two}",
    }


@given(st.recursive(st.none() | st.integers() | st.text(), st.lists, max_leaves=6))
def test_what_has_no_reference_stays(value: Any) -> None:
    if "{secret:" not in json.dumps(value):
        assert not has_references(value)
        assert filled(value, lambda _: "") == value


@pytest.mark.parametrize(
    ("text", "is_one"),
    [
        ("${secret:one}", True),
        ("$${secret:one}", False),
        ("${secret:one} ", False),
        ("${secret:one}${secret:two}", False),
        ("hush", False),
        (1, False),
    ],
)
def test_a_reference_alone_is_no_secret(text: Any, is_one: bool) -> None:
    assert is_reference(text) is is_one


def test_a_file_comes_before_a_variable(folder: Path) -> None:
    variables = {"ENGINE_SECRET_VAR_one": "other", "ENGINE_SECRET_VAR_two": "2"}
    source = SecretSource(folder=folder, variables=variables)
    assert [source.get("one"), source.get("two")] == ["hush", "2"]


@pytest.mark.parametrize("name", ["", "..", "../one", "a/b", ".hidden", "a b", "x" * 101])
def test_a_name_that_leads_elsewhere_is_refused(folder: Path, name: str) -> None:
    with pytest.raises(NoSuchSecret, match="a secret's name is"):
        SecretSource(folder=folder / "deeper", variables={}).get(name)


def test_a_secret_that_is_not_there_is_named_with_the_places_that_were_looked_at(
    folder: Path,
) -> None:
    with pytest.raises(NoSuchSecret) as refused:
        SecretSource(folder=folder, variables={}).get("two")
    assert str(folder / "two") in str(refused.value)
    assert "ENGINE_SECRET_VAR_two" in str(refused.value)


def test_a_file_that_cannot_be_read_is_named(folder: Path) -> None:
    (folder / "two").mkdir()
    (folder / "three").write_bytes(b"\xff")
    source = SecretSource(folder=folder, variables={})
    for name, why in (("two", "Is a directory"), ("three", "not UTF-8")):
        with pytest.raises(NoSuchSecret, match=why):
            source.get(name)


def test_an_empty_secret_is_none(folder: Path) -> None:
    (folder / "two").write_text("\n")
    source = SecretSource(folder=folder, variables={"ENGINE_SECRET_VAR_three": ""})
    with pytest.raises(NoSuchSecret, match="it is empty"):
        source.get("two")
    with pytest.raises(NoSuchSecret, match="ENGINE_SECRET_VAR_three"):
        source.get("three")


def test_what_is_missing_is_said_once_and_what_is_there_is_known(folder: Path) -> None:
    source = SecretSource(folder=folder, variables={})
    (said,) = source.missing([VALUE, "${secret:two}"])
    assert "'two'" in said
    assert source.values(VALUE) == ["hush"]


def test_it_shows_no_secret() -> None:
    source = SecretSource(folder=None, variables={"ENGINE_SECRET_VAR_one": "hush"})
    assert "hush" not in repr(source)


def test_the_settings_say_where_secrets_are(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".env").write_text("ENGINE_SECRETS_DIR=secrets\nENGINE_SECRET_VAR_two=2\n")
    monkeypatch.setenv("ENGINE_HOME", str(tmp_path))
    settings = load_settings()
    assert settings.secret_source.get("one") == "hush"
    assert settings.secret_source.get("two") == "2"
    assert settings.environment()["ENGINE_SECRETS_DIR"] == str(folder)


def test_no_folder_is_no_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = Settings(home=tmp_path)
    assert settings.secrets_folder is None
    monkeypatch.setenv("ENGINE_SECRETS_DIR", settings.environment()["ENGINE_SECRETS_DIR"])
    assert Settings(home=tmp_path).secrets_folder is None
