"""Pairs: a name that says that its value is a secret, and the value, however they are written."""

import re

from engine.redaction.edges import NAME_BEGINS, WORD_BEGINS
from engine.redaction.names import is_secret_name

_NAMED = re.compile(
    NAME_BEGINS
    + r"""(?<!\$\{)(?P<name>[\w-]{1,64}+)"""
    + r"""(?P<sep>\\*['"]?\]?\s{0,3}(?:=>?|%3[Dd]|:)\s{0,3})(?![=:>])"""
)
# Up to the end of the text if there is none of the quote: what is cut off is no less secret.
_QUOTED = r"""
    (?:[bBrRuUfF]{1,2}(?=['"]))?
    (?: '{3}[\s\S]*?(?:'{3}|\Z) | "{3}[\s\S]*?(?:"{3}|\Z)
    | '(?:\\.|[^'\\\n])*+'? | "(?:\\.|[^"\\\n])*+"?
    | \\+'[^\n]*?(?:\\+'|$) | \\+"[^\n]*?(?:\\+"|$) )
"""
_BRACKETED = r"\[[^\]\n]{0,4000}\]? | \{[^}\n]{0,4000}\}? | \([^)\n]{0,4000}\)?"
# A sign that ends a value in most places belongs to it where the value goes on behind it.
_BARE = r"""(?: [^\s,;&'"()\[\]{}<>\\|] | \\[^nrt'"] | [,;](?![\s'"]|[\w-]{1,64}\s?[=:]|$)
    | ['"(\[{](?=\w) )++"""
_VALUE = re.compile(rf"{_QUOTED} | {_BRACKETED} | {_BARE}", re.VERBOSE)
# What people write behind a colon may be more than one word.
_SENTENCE = re.compile(r"[^\n,;&|'\"<>(){}\[\]]+")
_SPOKEN_OF = ("pass", "pwd", "pin", "otp", "secret")

# Each of these has a group `before`, which stays, and a group `value`.
_HEADER = re.compile(
    rf"""(?P<before>{NAME_BEGINS}(?:(?:proxy-)?authorization|(?:set-)?cookie)\s?[:=]\s?)
    (?P<value>digest\s[^\n]+|[^\n'"]+)""",
    re.VERBOSE | re.IGNORECASE,
)
_ARGUMENT = re.compile(
    rf"""(?P<before>{NAME_BEGINS}--?(?P<name>[A-Za-z][\w-]{{0,64}}+)(?:['"],\s?|[ ]))(?!-)
    (?P<value>{_QUOTED} | {_BARE})""",
    re.VERBOSE,
)
_COUPLE = re.compile(
    rf"""(?P<before>(?<=[(\[])b?(?P<quote>['"])(?P<name>[\w-]{{1,64}})(?P=quote),\s?)
    (?P<value>{_QUOTED})(?=[)\]])""",
    re.VERBOSE,
)
_ELEMENT = re.compile(
    r"(?P<before><(?:[\w-]{1,64}+:)?(?P<name>[\w-]{1,64}+)(?:\s[^<>]{0,400})?>)(?P<value>[^<]+)"
)
_COLUMNS = re.compile(
    r"(?P<before>\((?P<name>[\w\", ]{1,400})\)=\()(?P<value>[^\n]{0,1000}?)"
    r"(?=\)(?:\s|$))"
)
_SQL = re.compile(
    rf"""(?P<before>{WORD_BEGINS}(?:password|identified\s(?:with\s\S{{1,64}}\s)?by)\s)
    (?P<value>'(?:''|\\.|[^'\\])*+'?)""",
    re.VERBOSE | re.IGNORECASE,
)
_SPOKEN = re.compile(
    rf"""(?P<before>{WORD_BEGINS}(?:otp|pin|cvv2?|cvc2?|passcode|one[- ]time[ ](?:password|code)
        |verification[ ]code)
    (?:\W{{1,3}}(?:code|is|was|number|no|of|for|value|your|the|card|as)\b){{0,4}}\W{{1,4}})
    (?P<value>\d{{3,8}}\b)""",
    re.VERBOSE | re.IGNORECASE,
)
# A word with a digit is none of a sentence's.
_IS = re.compile(
    rf"""(?P<before>{WORD_BEGINS}(?:password|passphrase|passcode|secret|token|otp)\s)
    (?:(?P<verb>(?:is|was|were)\s['"]?)(?P<value>(?=[^\s'"\d]{{0,64}}\d)[^\s'"]+)
    |(?P<quote>['"]?)(?P<word>(?=[^\s'"\d]{{0,64}}\d)[^\s'":=,;]{{6,}}))""",
    re.VERBOSE | re.IGNORECASE,
)
_ARABIC = re.compile(
    r"(?P<before>(?:رمز|كلمة|الرقم)\s(?:التحقق|المرور|السر|السري|الدخول)\s?(?:هو|هي)?\s?[:=]?\s?)"
    r"(?P<value>\S+)"
)
# What hides nothing, or is hidden already: nothing at all, a mask, a reference to a secret.
_PLAIN = re.compile(
    r"""(?:b?\\*['"])?(?:\*{3,}|none|null|true|false|\$\{secret:[\w.-]+\}|)(?:\\*['"])?""",
    re.IGNORECASE,
)
_REFERENCE = re.compile(r"\$\{secret:[\w.-]+\}")
_QUOTE = re.compile(r"""[bBrRuUfF]{0,2}(?:'{3}|"{3}|\\*['"])""")
_FIRST_WORD = re.compile(r"([A-Za-z]+) \Z")
_LONGEST_FIRST = 16
_COUNT = re.compile(r"\d{1,7}")


def hidden_pairs(text: str) -> str:
    """The text with *** for the values of names that are secrets'."""
    text = _hidden_named(_HEADER.sub(_hidden, text))
    if "-" in text:
        text = _ARGUMENT.sub(_hidden, text)
    if "<" in text:
        text = _ELEMENT.sub(_hidden, text)
    if ")=(" in text:
        text = _COLUMNS.sub(_hidden, text)
    for pattern in (_COUPLE, _SQL, _SPOKEN, _ARABIC):
        text = pattern.sub(_hidden, text)
    return _IS.sub(r"\g<before>\g<verb>\g<quote>***", text)


def is_reference(text: str) -> bool:
    """Whether it hides nothing: `${secret:X}`, a mask, nothing at all."""
    return _PLAIN.fullmatch(text) is not None


def _hidden_named(text: str) -> str:
    """A value of another name may hold a pair, so that only those of secrets are passed over."""
    parts, end, passed = [], 0, 0
    for named in _NAMED.finditer(text):
        if named.start() < passed or not _is_secret(named):
            continue
        value = _value_of(named, text)
        passed = named.end() + len(value)
        if value and not is_reference(value) and not _is_count(named["name"], value):
            parts += [text[end : named.end()], _mask(value)]
            end = passed
    return "".join([*parts, text[end:]]) if parts else text


def _is_secret(named: re.Match[str]) -> bool:
    at = named.start()
    if is_secret_name(named["name"]):
        return True
    if named["name"].lower() in ("key", "code"):
        # `API key: ...` is a name of two words.
        first = _FIRST_WORD.search(named.string, max(0, at - _LONGEST_FIRST), at)
        return first is not None and is_secret_name(f"{first[1]}_{named['name']}")
    # The `t` of `\\token` may be of an escape, and may be not.
    before = named.string[max(0, at - 2) : at]
    return before[:1] == "\\" and is_secret_name(before[1:] + named["name"])


def _value_of(named: re.Match[str], text: str) -> str:
    reference = _REFERENCE.match(text, named.end())
    if reference is not None:
        return reference[0]
    found = _VALUE.match(text, named.end())
    if found is None:
        return ""
    if ":" in named["sep"] and found[0][0].isalnum() and '"' not in named["sep"]:
        said = named["name"].lower()
        if any(each in said for each in _SPOKEN_OF):
            sentence = _SENTENCE.match(text, named.end())
            return max(found[0], sentence[0].rstrip() if sentence else "", key=len)
    return found[0]


def _hidden(found: re.Match[str]) -> str:
    name = found.groupdict().get("name")
    names = name.replace('"', "").split(",") if name else []
    if is_reference(found["value"]) or (names and not any(map(is_secret_name, names))):
        return found[0]
    return found["before"] + _mask(found["value"])


def _is_count(name: str, value: str) -> bool:
    return name.lower().endswith("tokens") and _COUNT.fullmatch(value) is not None


def _mask(value: str) -> str:
    """Three stars, between the quotes of the value."""
    opening = _QUOTE.match(value)
    if opening is None:
        return "***"
    quote = opening[0].lstrip("bBrRuUfF")
    is_closed = len(value) > len(opening[0]) and value.endswith(quote)
    return f"{opening[0]}***{quote if is_closed else ''}"
