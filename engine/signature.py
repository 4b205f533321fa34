"""The signature of a job's function: its parameters, checked before a run is booked."""

import inspect
import types
import typing
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from functools import cached_property
from typing import Annotated, Any, Literal, cast

from engine.errors import Invalid

_CONTEXT_KINDS = {inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD}
_PARAM_KINDS = {inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY}


class InvalidParams(Invalid):
    """Parameters do not fit the job's signature; `facts["problems"]` lists (name, message)."""

    message = "{job}: {text}"


class InvalidJob(Invalid):
    """A job was declared in a way that cannot work."""

    message = "job {name!r}: {text}"


@dataclass(frozen=True)
class NameOf:
    """Marks a text parameter that must be the name of a defined `kind`, e.g. a reconciliation."""

    kind: str


ReconciliationName = Annotated[str, NameOf("reconciliation")]


@dataclass(frozen=True, kw_only=True)
class Param:
    """One parameter of a job as people see it."""

    name: str
    type_text: str
    required: bool
    default: Any
    kind: str | None = None


@dataclass(frozen=True, kw_only=True)
class Signature:
    """What the function of the job `job` takes beside its context."""

    job: str
    function: Callable[..., Any]

    def require_usable(self) -> None:
        """Raise InvalidJob unless it takes a context, and parameters that have names."""
        kinds = [each.kind for each in inspect.signature(self.function).parameters.values()]
        if not kinds or kinds[0] not in _CONTEXT_KINDS:
            raise InvalidJob(name=self.job, text="its first parameter must be the context")
        if not set(kinds[1:]) <= _PARAM_KINDS:
            text = "its parameters must have names: no *args, no **kwargs, nothing before a /"
            raise InvalidJob(name=self.job, text=text)

    @cached_property
    def names(self) -> Sequence[str]:
        """The names of the parameters, in order; nothing else of them is looked at."""
        return list(inspect.signature(self.function).parameters)[1:]

    @cached_property
    def params(self) -> Mapping[str, Param]:
        """The parameters by name, in the order of the signature; the context is not one."""
        hints = self._hints
        signature = list(inspect.signature(self.function).parameters.values())[1:]
        return {
            each.name: Param(
                name=each.name,
                type_text=_type_text(hints.get(each.name, str)),
                required=each.default is inspect.Parameter.empty,
                default=None if each.default is inspect.Parameter.empty else each.default,
                kind=_kind(hints.get(each.name, str)),
            )
            for each in signature
        }

    def validate(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """`params` checked against the signature, as JSON-ready data without the defaults.

        Raises InvalidParams with every problem at once.
        """
        from pydantic import ValidationError

        try:
            values = self._adapter.validate_python(dict(params))
        except ValidationError as error:
            problems = [self._problem(dict(each)) for each in error.errors(include_url=False)]
            text = "; ".join(f"{name}: {message}" for name, message in problems)
            raise InvalidParams(job=self.job, text=text, problems=problems) from None
        return cast("dict[str, Any]", self._adapter.dump_python(values, mode="json"))

    def values(self, params: Mapping[str, Any], names: Sequence[str]) -> dict[str, Any]:
        """What stored `params` say of these parameters, as JSON-ready data with the defaults."""
        return {
            name: params[name] if name in params else self._stored_defaults[name] for name in names
        }

    @cached_property
    def _stored_defaults(self) -> Mapping[str, Any]:
        """The defaults as they are stored when somebody gives them."""
        return {
            name: _stored(param.default, self._hints.get(name, str))
            for name, param in self.params.items()
        }

    def arguments(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """Stored `params` as the Python values that the function takes."""
        return cast("dict[str, Any]", self._adapter.validate_python(dict(params)))

    @cached_property
    def _adapter(self) -> Any:
        # pydantic costs a tenth of a second to import; `engine --help` does without.
        from pydantic import ConfigDict, TypeAdapter
        from typing_extensions import TypedDict as TypedDict

        hints = self._hints
        # A TypedDict, not a model: a parameter may be called `schema` or `copy`.
        fields = {
            name: typing.Required[hints.get(name, str)]
            if param.required
            else typing.NotRequired[hints.get(name, str)]
            for name, param in self.params.items()
        }
        make: Any = TypedDict  # a type checker wants its name and fields as literals
        shape = make(f"{self.job}_params", fields)
        shape.__pydantic_config__ = ConfigDict(extra="forbid", allow_inf_nan=False)
        try:
            return TypeAdapter(shape)
        except Exception as error:  # pydantic has many, for each way to be no type of its own
            first = str(error).partition("\n")[0]
            raise InvalidJob(name=self.job, text=f"its parameters: {first}") from error

    @cached_property
    def _hints(self) -> Mapping[str, Any]:
        try:
            return typing.get_type_hints(self.function, include_extras=True)
        except Exception as error:  # an annotation in quotes is code that runs only now
            raise InvalidJob(name=self.job, text=f"its annotations: {error}") from error

    def _problem(self, error: Mapping[str, Any]) -> tuple[str, str]:
        from difflib import get_close_matches

        name = str(error["loc"][0]) if error["loc"] else ""
        if error["type"] == "extra_forbidden":
            close = get_close_matches(name, list(self.params), n=1)
            allowed = ", ".join(self.params) or "none"
            hint = f"did you mean {close[0]!r}? " if close else ""
            return name, f"no such parameter; {hint}allowed: {allowed}"
        if error["type"] == "missing":
            return name, f"required ({self.params[name].type_text})"
        return name, f"{error['input']!r} is not allowed; expected {self.params[name].type_text}"


def _stored(value: Any, hint: Any) -> Any:
    from pydantic import TypeAdapter, ValidationError
    from pydantic_core import to_jsonable_python

    adapter: TypeAdapter[Any] = TypeAdapter(hint)
    try:
        return adapter.dump_python(adapter.validate_python(value), mode="json")
    except ValidationError:
        # Nobody can give it: None, say, as the default of a number.
        return to_jsonable_python(value, fallback=repr)


_TYPE_WORDS: Mapping[Any, str] = {
    str: "text",
    int: "a whole number",
    bool: "true or false",
    float: "a number",
    type(None): "nothing",
}


def _type_text(hint: Any) -> str:
    """A type as a person would say it: `date | None` is "a date (2026-01-31)"."""
    if typing.get_origin(hint) is Annotated:
        base, *marks = typing.get_args(hint)
        described = [mark.description for mark in marks if getattr(mark, "description", None)]
        named = [f"the name of a {mark.kind}" for mark in marks if isinstance(mark, NameOf)]
        texts: list[str] = [*described, *named, _type_text(base)]
        return texts[0]
    if typing.get_origin(hint) in (typing.Union, types.UnionType):
        parts = [_type_text(part) for part in typing.get_args(hint) if part is not type(None)]
        return " or ".join(parts)
    if typing.get_origin(hint) is Literal:
        return " or ".join(repr(value) for value in typing.get_args(hint))
    if isinstance(hint, type) and issubclass(hint, Enum):
        return " or ".join(repr(each.value) for each in hint)
    instant = "an instant with its zone (2026-01-31T06:30:00+03:00)"
    known = {"date": "a date (2026-01-31)", "datetime": instant, "AwareDatetime": instant}
    name: str = getattr(hint, "__name__", str(hint))
    return str(_TYPE_WORDS.get(hint) or known.get(name, name))


def _kind(hint: Any) -> str | None:
    """The kind a parameter names; of `ReconciliationName | None` too."""
    if typing.get_origin(hint) in (typing.Union, types.UnionType):
        return next(filter(None, map(_kind, typing.get_args(hint))), None)
    for mark in typing.get_args(hint) if typing.get_origin(hint) is Annotated else ():
        if isinstance(mark, NameOf):
            return mark.kind
    return None
