"""Text of others as a terminal may show it: what would steer it or turn its order is spelt out."""

import re

# The marks of direction and the joiners that Arabic is written with are letters to a reader;
# overrides, embeddings and isolates show a text as another one than it is.
_TURNING = "\u202a-\u202e\u2066-\u2069"
_STEERING = re.compile(f"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029{_TURNING}]")


def plain(text: object) -> str:
    """The text in its lines, as logs and tracebacks have it; line breaks and tabs stay."""
    return _STEERING.sub(_spelt, str(text))


def on_one_line(text: object) -> str:
    """The text on one line, its blanks made one."""
    return plain(" ".join(str(text).split()))


def clause(text: object) -> str:
    """The text on one line, as a sentence begins that goes on after it: without a full stop."""
    return on_one_line(text).removesuffix(".")


def _spelt(sign: re.Match[str]) -> str:
    code = ord(sign[0])
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"
