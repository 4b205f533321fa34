"""Marks: where a query says `:name`, the mark by which its database is given a parameter.

A name within a text, a quoted name or a comment is none, nor is the type of a `::cast`. What a
parameter is worth never becomes part of the query.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from engine.sources.faults import InvalidQuery
from engine.sources.parameters import Parameter, Params

_NAME = re.compile(r"(?<![:\w$]):([A-Za-z_]\w*)")

Mark = Callable[[int, Parameter], str]
"""How a parameter is marked, by its number from 1 on."""


@dataclass(frozen=True)
class Quoting:
    """What a dialect puts between quotes: `quoted` finds the next such part.

    Where `end_of` is given, it finds where a comment ends that holds comments.
    """

    quoted: re.Pattern[str]
    end_of: Callable[[str, int], int] | None = None

    def bare(self, query: str) -> Iterator[tuple[str, bool]]:
        """The query in parts, each with whether it is outside of all quotes."""
        at = 0
        while found := self.quoted.search(query, at):
            yield query[at : found.start()], True
            end = found.end()
            if self.end_of is not None and found[0] == "/*":
                end = self.end_of(query, end)
            yield query[found.start() : end], False
            at = end
        yield query[at:], True


@dataclass(frozen=True)
class Bound:
    """A query with marks, and what is bound to them, in their order."""

    query: str
    parameters: Sequence[Parameter] = ()


def bound(
    query: str,
    params: Params | None,
    *,
    source: str,
    quoting: Quoting,
    mark: Mark,
    numbered: bool = True,
) -> Bound:
    """The query as its database wants it; as it is if there is no word of parameters at all.

    `numbered` marks say which parameter they mean, others come in their order. Raises InvalidQuery
    for a name without a parameter, and for a parameter without a name.
    """
    if params is None:
        return Bound(query)
    pieces: list[str] = []
    order: list[str] = []
    line = 1
    for part, is_bare in quoting.bare(query):
        at = 0
        for found in _NAME.finditer(part) if is_bare else ():
            name = found[1]
            if name not in params:
                where = line + part.count("\n", 0, found.start())
                raise InvalidQuery(source=source, reason=_unknown(name, where, params))
            if not numbered or name not in order:
                order.append(name)
            number = order.index(name) + 1 if numbered else len(order)
            pieces += [part[at : found.start()], mark(number, params[name])]
            at = found.end()
        pieces.append(part[at:])
        line += part.count("\n")
    if unused := [name for name in params if name not in order]:
        reason = f"the parameter {unused[0]!r} is given, and the query does not say :{unused[0]}"
        raise InvalidQuery(source=source, reason=reason)
    return Bound("".join(pieces), [params[name] for name in order])


def require_closed(query: str, quoting: Quoting, *, source: str) -> None:
    """Raise InvalidQuery if, between the brackets of a subquery, it would end too soon."""
    depth = 0
    for part, is_bare in quoting.bare(query):
        for sign in part if is_bare else ():
            depth += {"(": 1, ")": -1}.get(sign, 0)
            if depth < 0 or sign == ";":
                reason = f"{sign!r} ends it too soon; it must be one SELECT"
                raise InvalidQuery(source=source, reason=reason)
    if depth:
        raise InvalidQuery(source=source, reason="a bracket is not closed")


def _unknown(name: str, line: int, params: Params) -> str:
    given = ", ".join(params) if params else "none"
    return f"line {line} says :{name}, and no such parameter is given; given: {given}"
