"""What the YAML parser says, in words for the person who wrote the file."""

import re

from ruamel.yaml.error import MarkedYAMLError

from engine.documents.problem import Problem

_LINE_BREAK = re.compile("\r\n|[\n\r\x85\u2028\u2029]")

_WORDS = {
    "mapping values are not allowed in this context": (
        "a ':' cannot stand here; is the indentation right, a space missing after a ':', "
        "or are quotes missing around a text with ': ' in it?"
    ),
    "could not find expected ':'": "a ':' is missing after a key on this line or the one before",
    "found unexpected ':'": "a ':' cannot stand here; put quotes around the text",
    "did not find expected key": "a key is due here; is the indentation or a quote wrong?",
    "did not find expected '-' indicator": "a list item ('- ') is due here; check the indentation",
    "did not find expected ',' or ']'": "a list in brackets lacks a ',' or its ']'",
    "did not find expected ',' or '}'": "a mapping in braces lacks a ',' or its '}'",
    "did not find expected node content": "a value is due here",
    "found unexpected end of stream": "the file ends inside a quoted text",
    "found unknown escape character": "an unknown '\\' escape; single quotes keep backslashes",
    "did not find expected <document start>": "nothing may follow the document's end ('...')",
    "found incompatible YAML document": "only YAML 1.2 is read; leave the %YAML line out",
    "found unknown directive name": "an unknown % directive; leave it out",
}


def explain(error: MarkedYAMLError, text: str, file: str) -> Problem:
    """The parser's error as a problem, at the place where it gave up."""
    mark = error.problem_mark or error.context_mark
    line, column = (mark.line, mark.column) if mark else (0, 0)
    problem = str(error.problem or error.context or "not readable as YAML")
    lines = _LINE_BREAK.split(text)
    if line >= len(lines):  # where the file ends, in the eyes of whoever opens it
        line, column = len(lines) - 1, len(lines[-1])
    here = lines[line]
    at = here[column : column + 1]
    if at == "\t" or "\t" in _indentation(here) or "tab character" in problem:
        column = max(here.find("\t"), 0)
        message = "a tab in the indentation; YAML takes spaces only" + _more_tabs(lines, line)
    elif error.context in ("while scanning an alias", "while scanning an anchor"):
        message = f"a value cannot start with {here[column - 1 : column]!r}; put quotes around it"
        column -= 1
    elif problem == "found character that cannot start any token":
        message = f"a value cannot start with {at!r}; put quotes around it"
    else:
        message = _WORDS.get(problem, problem)
        if error.context_mark and ("lacks" in message or "ends inside" in message):
            message += f" (it starts on line {error.context_mark.line + 1})"
    return Problem(file, line + 1, column + 1, "", message)


def _indentation(line: str) -> str:
    return line[: len(line) - len(line.lstrip(" \t"))]


def _more_tabs(lines: list[str], known: int) -> str:
    others = [n + 1 for n, line in enumerate(lines) if n != known and "\t" in _indentation(line)]
    if not others:
        return ""
    shown = ", ".join(map(str, others[:10])) + (", ..." if len(others) > 10 else "")
    return f" (also on line {shown})"
