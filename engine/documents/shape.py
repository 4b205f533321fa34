"""Which keys a pydantic model knows at a place inside it."""

from collections.abc import Mapping, Sequence
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel

from engine.documents.problem import KeyPath

_UNIONS = (Union, UnionType)


def keys_at(model: type[BaseModel], path: KeyPath) -> frozenset[str]:
    """The keys allowed in the mapping at `path`; empty where any key is, or none."""
    kinds: list[Any] = [model]
    for part in path:
        kinds = [inner for kind in kinds for inner in _inside(kind, part)]
    return frozenset(name for kind in kinds for found in _models(kind) for name in _fields(found))


def _fields(model: type[BaseModel]) -> dict[str, Any]:
    return {field.alias or name: field.annotation for name, field in model.model_fields.items()}


def _inside(kind: Any, part: str | int) -> list[Any]:
    found: list[Any] = []
    for option in _options(kind):
        origin, arguments = get_origin(option), get_args(option)
        if isinstance(option, type) and issubclass(option, BaseModel):
            fields = _fields(option)
            found += [fields[part]] if isinstance(part, str) and part in fields else []
        elif isinstance(origin, type) and issubclass(origin, Mapping):
            found += [arguments[1]]
        elif isinstance(origin, type) and issubclass(origin, Sequence | set | frozenset):
            found += [argument for argument in arguments if argument is not Ellipsis]
    return found


def _models(kind: Any) -> list[type[BaseModel]]:
    return [o for o in _options(kind) if isinstance(o, type) and issubclass(o, BaseModel)]


def _options(kind: Any) -> list[Any]:
    """The members of a union, `Annotated` and `type` aliases taken off."""
    if hasattr(kind, "__value__"):
        return _options(kind.__value__)
    if get_origin(kind) is Annotated:
        return _options(get_args(kind)[0])
    if isinstance(kind, type) or get_origin(kind) not in _UNIONS:
        return [kind]
    return [option for member in get_args(kind) for option in _options(member)]
