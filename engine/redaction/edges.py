"""Edges: where a word or a number begins and ends, also in texts that quote others."""

# Behind `\n` of a quoted text, too, and behind `%3D` of a URL.
_ESCAPED = r"(?<=\\[nrt])|(?<=%[0-9A-Fa-f]{2})"
BEGINS = rf"(?:(?<![^\W_])|{_ESCAPED})"
ENDS = r"(?![^\W_])"
# A name may have signs in it, and does not begin with the letter of an escape.
NAME_BEGINS = rf"(?:(?<![\w-])(?!(?<=\\)[nrt])|{_ESCAPED})"
WORD_BEGINS = rf"(?:\b|{_ESCAPED})"
