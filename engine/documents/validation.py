"""A document's data as a pydantic model, or what is wrong with it and where."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from engine.documents.closest import closest, suggestion
from engine.documents.document import Document
from engine.documents.problem import InvalidDocument, KeyPath
from engine.documents.shape import keys_at
from engine.documents.wording import refused, wanted, worded

Model = TypeVar("Model", bound=BaseModel)


def validate(document: Document, model: type[Model], at: KeyPath = ()) -> Model:
    """The document, or what is in it `at` a path, as `model`; raises InvalidDocument with every
    error at its own line.

    The model forbids unknown keys (`extra="forbid"`) to have them found. A validator of its own
    raises ValueError with a message for people: what is wrong, and what to write instead.
    """
    data: Any = document.data
    for step in at:
        data = data[step]
    try:
        return model.model_validate(data)
    except ValidationError as error:
        by_path: defaultdict[KeyPath, list[ErrorDetails]] = defaultdict(list)
        for each in error.errors(include_url=False):
            by_path[_path(data, each)].append(each)
    raise InvalidDocument(
        document.problem((*at, *path), message) for path, message in _problems(model, by_path)
    )


def _problems(
    model: type[BaseModel], by_path: Mapping[KeyPath, list[ErrorDetails]]
) -> Iterator[tuple[KeyPath, str]]:
    around = {path[:depth] for path in by_path for depth in range(len(path))}
    misspelt = {
        (path[:-1], closest(str(path[-1]), keys_at(model, path[:-1])))
        for path, found in by_path.items()
        if any(error["type"] == "extra_forbidden" for error in found)
    }
    for path, found in by_path.items():
        for message in _messages(model, path, found, deeper=path in around):
            yield path, message
        for error in found:
            if error["type"] == "missing" and (path, error["loc"][-1]) not in misspelt:
                yield path, f"the key {error['loc'][-1]!r} is missing"


def _messages(
    model: type[BaseModel], path: KeyPath, errors: list[ErrorDetails], *, deeper: bool
) -> Iterator[str]:
    of_the_wrong_kind = [error for error in errors if wanted(error) is not None]
    # If another member of the union took the value and looked into it, that one has more to say.
    if of_the_wrong_kind and not deeper:
        yield refused(of_the_wrong_kind)
    for error in errors:
        if error["type"] == "extra_forbidden":
            key = str(path[-1])
            yield f"unknown key {key!r}; {suggestion(key, keys_at(model, path[:-1]))}"
        elif error["type"] != "missing" and wanted(error) is None:
            yield worded(error)


def _path(data: Any, error: ErrorDetails) -> KeyPath:
    """The part of pydantic's location that is in the file; the rest names branches of unions."""
    path: list[str | int] = []
    for part in error["loc"]:
        if isinstance(data, dict):
            there = part in data
        else:
            there = isinstance(data, list) and isinstance(part, int) and part < len(data)
        if there:
            data = data[part]
            path.append(part)
    if error["type"] == "union_tag_invalid":
        path.append(error["ctx"]["discriminator"].strip("'"))
    return tuple(path)
