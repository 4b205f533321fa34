"""Sealing: what opens, what does not, and what an onlooker learns."""

import os
import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.app import build_app
from engine.sealing import InvalidKey, KeyFile, Keys, MissingKey, SealBroken, Sealer, UnknownKey
from engine.settings import Settings

NEW, OLD = "n" * 32, "o" * 32


@given(st.text(), st.text())
def test_what_was_sealed_opens_with_its_own_context(text: str, context: str) -> None:
    sealer = Sealer(Keys.parse(NEW))
    assert sealer.open(sealer.seal(text, context), context) == text


def test_a_value_does_not_open_as_another_ones() -> None:
    sealer = Sealer(Keys.parse(NEW))
    sealed = sealer.seal("hush", "run 1, token")
    with pytest.raises(SealBroken):
        sealer.open(sealed, "run 2, token")


def test_a_value_does_not_open_for_another_purpose() -> None:
    keys = Keys.parse(NEW)
    sealed = Sealer(keys).seal("hush", "x")
    with pytest.raises(SealBroken):
        Sealer(keys, purpose="audit").open(sealed, "x")


@pytest.mark.parametrize("place", range(len(Sealer(Keys.parse(NEW)).seal("hush", "x"))))
def test_a_value_that_was_changed_anywhere_does_not_open(place: int) -> None:
    sealer = Sealer(Keys.parse(NEW))
    sealed = sealer.seal("hush", "x")
    other = "B" if sealed[place] != "B" else "C"
    with pytest.raises((SealBroken, UnknownKey)):
        sealer.open(sealed[:place] + other + sealed[place + 1 :], "x")


@pytest.mark.parametrize("sealed", ["", "hush", "v1.", "v2.ab.cd", "v1.ab"])
def test_what_is_no_sealed_value_does_not_open(sealed: str) -> None:
    with pytest.raises((SealBroken, UnknownKey)):
        Sealer(Keys.parse(NEW)).open(sealed, "x")


def test_the_same_text_never_looks_the_same() -> None:
    sealer = Sealer(Keys.parse(NEW))
    assert sealer.seal("hush", "x") != sealer.seal("hush", "x")


def test_short_texts_have_one_length() -> None:
    sealer = Sealer(Keys.parse(NEW))
    assert len({len(sealer.seal("9" * length, "x")) for length in range(32)}) == 1


def test_an_old_key_still_opens_and_the_new_one_seals() -> None:
    sealed = Sealer(Keys.parse(OLD)).seal("hush", "x")
    both = Sealer(Keys.parse(f"{NEW}, {OLD}"))
    assert both.open(sealed, "x") == "hush"
    assert both.needs_reseal(sealed)
    assert not both.needs_reseal(both.seal("hush", "x"))
    assert Sealer(Keys.parse(NEW)).open(both.seal("hush", "x"), "x") == "hush"


def test_a_key_that_is_not_here_is_named() -> None:
    sealed = Sealer(Keys.parse(OLD)).seal("hush", "x")
    with pytest.raises(UnknownKey) as refused:
        Sealer(Keys.parse(NEW)).open(sealed, "x")
    assert Keys.parse(OLD).ids[0] in str(refused.value)
    assert Keys.parse(NEW).ids[0] in str(refused.value)


@pytest.mark.parametrize("text", ["", "hush", f"{NEW},", f"{NEW},{NEW}", f"{NEW},{OLD},{'x' * 32}"])
def test_a_key_that_is_no_use_is_refused_and_not_repeated(text: str) -> None:
    with pytest.raises(ValueError, match="key") as refused:
        Keys.parse(text)
    assert "hush" not in str(refused.value)
    assert NEW not in str(refused.value)


def test_keys_are_never_shown() -> None:
    assert NEW not in repr(Sealer(Keys.parse(NEW)))


def test_macs_have_a_key_for_each_purpose() -> None:
    keys = Keys.parse(NEW)
    assert keys.mac_key("a") == Keys.parse(f"{NEW},{OLD}").mac_key("a")
    assert keys.mac_key("a") != keys.mac_key("b")


def test_a_sqlite_ledger_has_a_key_made_once_that_only_its_owner_may_read(tmp_path: Path) -> None:
    first = build_app(Settings(home=tmp_path)).keys
    assert build_app(Settings(home=tmp_path)).keys == first
    file = tmp_path / "var" / "secret.key"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert os.listdir(file.parent) == ["secret.key"]  # noqa: PTH208 - names, not paths


def test_a_key_file_that_others_may_read_is_refused(tmp_path: Path) -> None:
    file = KeyFile(tmp_path / "secret.key")
    file.made()
    file.path.chmod(0o640)
    with pytest.raises(InvalidKey, match="chmod 600"):
        file.read()


def test_a_key_file_with_a_short_key_is_refused_and_not_repeated(tmp_path: Path) -> None:
    file = KeyFile(tmp_path / "secret.key")
    file.path.touch(mode=0o600)
    file.path.write_text("hush")
    with pytest.raises(InvalidKey) as refused:
        file.made()
    assert "hush" not in str(refused.value)


def test_a_postgres_ledger_without_a_key_is_told_of_the_setting(tmp_path: Path) -> None:
    app = build_app(Settings(home=tmp_path, database_url="postgresql://localhost/ledger"))
    with pytest.raises(MissingKey, match="ENGINE_SECRET_KEY") as refused:
        _ = app.keys
    assert refused.value.exit_code == 2


def test_the_key_that_is_set_is_the_key(tmp_path: Path) -> None:
    app = build_app(Settings.model_validate({"home": tmp_path, "secret_key": f"{NEW},{OLD}"}))
    assert app.keys == Keys.parse(f"{NEW},{OLD}")
    assert not (tmp_path / "var").exists()


def test_the_keys_are_among_the_secrets_that_are_hidden(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = KeyFile(tmp_path / "var" / "secret.key")
    made.made()
    monkeypatch.setenv("ENGINE_SECRET_KEY", f"{NEW}, {OLD}")
    assert {NEW, OLD, *made.texts()} <= set(Settings(home=tmp_path).secrets)
