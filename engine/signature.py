"""The signature of a job's function: its parameters, checked before a run is booked."""

import inspect
import types
import typing
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from functools import cached_property
from typing import Annotated, Any, Literal, TypeVar, cast

from engine.errors import Invalid
from engine.secret_references import has_references

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
ReportName = Annotated[str, NameOf("report")]


@dataclass(frozen=True)
class TakingOthers:
    """Marks a parameter that takes, by their names, what no other parameter is called."""


Others = Annotated[dict[str, Any], TakingOthers()]
"""`params: Others | None = None`: `-p wallet=7` becomes `params={"wallet": "7"}`."""


@dataclass(frozen=True)
class Splitting:
    """Marks a list of names that may be given as one text, with commas between them."""

    description = "names with commas between them"

    def __get_pydantic_core_schema__(self, source: Any, handler: Callable[[Any], Any]) -> Any:
        from pydantic_core import core_schema

        return core_schema.no_info_before_validator_function(_split, handler(source))


Names = Annotated[list[str], Splitting()]
"""`formats: Names`: `-p formats=csv,xlsx` is the list of the two."""


@dataclass(frozen=True)
class Identifying:
    """Marks a text parameter whose values name things: nothing in them is taken for a secret."""


Identifier = Annotated[str, Identifying()]
"""`wallet: Identifier`: shown as it is, though its digits may look like somebody's."""

SealedKind = Literal["secret", "personal"]


@dataclass(frozen=True)
class Sealed:
    """Marks a parameter whose values are stored so that only the holder of the key reads them."""

    kind: SealedKind


T = TypeVar("T")
Secret = Annotated[T, Sealed("secret")]
"""`token: Secret[str]`: stored sealed, opened in the attempt alone, erased when the run is over."""
Personal = Annotated[T, Sealed("personal")]
"""`phone: Personal[str]`: likewise, for what is somebody's own and no secret of ours."""


@dataclass(frozen=True, kw_only=True)
class Param:
    """One parameter of a job as people see it.

    What is `sealed` is never shown; in one that `is_text` what looks like a secret is not.
    """

    name: str
    type_text: str
    required: bool
    default: Any
    kind: str | None = None
    sealed: SealedKind | None = None
    is_text: bool = False


@dataclass(frozen=True, kw_only=True)
class Signature:
    """What the function of the job `job` takes beside its context."""

    job: str
    function: Callable[..., Any]
    is_secret: Callable[[str], bool] = lambda _: False  # whether what is called so is one

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
                sealed=self._sealed(each.name, hints.get(each.name, str)),
                is_text=_is_text(hints.get(each.name, str)),
            )
            for each in signature
        }

    def _sealed(self, name: str, hint: Any) -> SealedKind | None:
        marks = [mark.kind for mark in _marks(hint) if isinstance(mark, Sealed)]
        if marks:
            return marks[0]
        # An author who calls a flag so, or says that it is the name of something, knows better.
        named = any(isinstance(mark, Identifying) for mark in _marks(hint))
        plain = hint is bool or named or _kind(hint) is not None
        return "secret" if self.is_secret(name) and not plain else None

    def validate(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """`params` checked against the signature, as JSON-ready data without the defaults.

        What has no parameter of its name goes into the one that takes others, if there is one.
        What refers to secrets is only checked when the attempt has them. Raises InvalidParams with
        every problem at once.
        """
        params = self.gathered(params)
        names = frozenset(
            name for name in self.names if name in params and has_references(params[name])
        )
        if not names:
            return self._stored(self._adapter, params)
        from pydantic_core import to_jsonable_python

        others = {name: value for name, value in params.items() if name not in names}
        stored = self._stored(self._adapter_without(names), others)
        referring = {name: to_jsonable_python(params[name], fallback=str) for name in names}
        return {name: (stored | referring)[name] for name in params}

    def gathered(self, params: Mapping[str, Any]) -> Mapping[str, Any]:
        """The same, with what no parameter is called where others are taken."""
        unknown = params.keys() - set(self.names)
        taking = self.taking_others if unknown else None
        held = params.get(taking) if taking else None
        if taking is None or not (held is None or isinstance(held, Mapping)):
            return params
        others = {**(held or {}), **{name: params[name] for name in params if name in unknown}}
        return {name: params[name] for name in params if name not in unknown} | {taking: others}

    @cached_property
    def taking_others(self) -> str | None:
        """The parameter that takes what no other is called."""
        hints = self._hints
        return next((name for name in self.names if _takes_others(hints.get(name, str))), None)

    def _stored(self, adapter: Any, params: Mapping[str, Any]) -> dict[str, Any]:
        values = self._checked(adapter, params)
        return cast("dict[str, Any]", adapter.dump_python(values, mode="json"))

    def _checked(self, adapter: Any, params: Mapping[str, Any]) -> Any:
        from pydantic import ValidationError

        try:
            return adapter.validate_python(dict(params))
        except ValidationError as error:
            problems = [self._problem(dict(each)) for each in error.errors(include_url=False)]
            text = "; ".join(f"{name}: {message}" for name, message in problems)
            raise InvalidParams(job=self.job, text=text, problems=problems) from None

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

    def make_ready(self) -> None:
        """Make now what `arguments` needs; raises InvalidJob."""
        _ = self._adapter

    def arguments(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """Stored `params` as the Python values that the function takes; raises InvalidParams."""
        return cast("dict[str, Any]", self._checked(self._adapter, params))

    @cached_property
    def _adapter(self) -> Any:
        return self._adapter_without(frozenset())

    def _adapter_without(self, names: Collection[str]) -> Any:
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
            if name not in names
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
        param = self.params[name]
        said = "this value" if param.sealed else repr(error["input"])
        return name, f"{said} is not allowed; expected {param.type_text}"


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
        sealed = "".join(f", {mark.kind}" for mark in marks if isinstance(mark, Sealed))
        texts: list[str] = [*described, *named, _type_text(base)]
        return texts[0] + sealed
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


def _takes_others(hint: Any) -> bool:
    return any(isinstance(mark, TakingOthers) for mark in _marks(hint))


def _split(value: Any) -> Any:
    return [part.strip() for part in value.split(",")] if isinstance(value, str) else value


def _marks(hint: Any) -> Iterator[Any]:
    """What is said of a type beside it, however deep."""
    if typing.get_origin(hint) is Literal:
        return
    parts = typing.get_args(hint)
    if typing.get_origin(hint) is Annotated:
        yield from parts[1:]
        parts = parts[:1]
    for part in parts:
        yield from _marks(part)


def _is_text(hint: Any) -> bool:
    """Whether people write freely in it: text, or what may hold some; not a name, not a number."""
    if hint is Any or hint is object:
        return True
    origin = typing.get_origin(hint)
    if origin is Literal or _kind(hint) is not None:
        return False
    if origin is Annotated:
        base, *marks = typing.get_args(hint)
        return not any(isinstance(mark, Identifying) for mark in marks) and _is_text(base)
    parts = typing.get_args(hint)
    if parts:
        return any(map(_is_text, parts))
    if not isinstance(hint, type):
        return True
    if issubclass(hint, Enum):
        return False
    # A model, or a container of anything, may hold text.
    return (
        issubclass(hint, str) or hint in _CONTAINERS or bool(getattr(hint, "__annotations__", {}))
    )


_CONTAINERS = (dict, list, tuple, set, frozenset)
