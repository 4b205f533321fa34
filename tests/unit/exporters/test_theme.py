"""The theme: one file for the style sheet and the drawer, and what is wrong with another."""

from pathlib import Path

import pytest

from engine.exporters.theme import BadTheme, theme_of


def test_the_folder_says_only_what_it_wants_otherwise(tmp_path: Path) -> None:
    (tmp_path / "theme.toml").write_text('accent = "#7f0000"\ncell_lines = 2\n')
    theme, ours = theme_of(tmp_path), theme_of(None)
    assert (theme.accent, theme.cell_lines) == ("#7f0000", 2)
    assert theme.ink == ours.ink


def test_a_style_sheet_has_it_as_variables() -> None:
    variables = theme_of(None).variables
    assert "--accent: #1f3a5f" in variables
    assert "--margin-top: 17.0mm" in variables
    assert "--table-size-0: 8.0pt" in variables


@pytest.mark.parametrize(
    ("said", "problem"),
    [
        ('colour = "#000000"', "'colour' is nothing that a theme says"),
        ('ink = "black"', "ink is a colour"),
        ("ink = 3", "ink is a colour"),
        ("margin_top = -1", "margin_top is a number above 0"),
        ("cell_lines = 1.5", "cell_lines is a whole number"),
        ("cell_lines = true", "cell_lines is a whole number"),
        ("table_sizes = 8", "table_sizes is a list of numbers"),
        ("table_sizes = []", "table_sizes is a list of numbers"),
        ('table_sizes = ["8"]', "table_sizes is a number above 0"),
        ("ink =", "Invalid value"),
    ],
)
def test_what_is_no_theme_is_named(said: str, problem: str, tmp_path: Path) -> None:
    (tmp_path / "theme.toml").write_text(said)
    with pytest.raises(BadTheme, match=problem):
        theme_of(tmp_path)
