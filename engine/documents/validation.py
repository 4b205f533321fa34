"""A document's data as a pydantic model, or what is wrong with it and where."""

from collections import defaultdict
from collections.abc import Iterator
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from engine.documents.closest import closest, suggestion
from engine.documents.document import Document
from engine.documents.problem import InvalidDocument, KeyPath, Problem
from engine.documents.shape import keys_at
from engine.documents.wording import refused, wanted, worded

Model = TypeVar("Model", bound=BaseModel)


def validate(document: Document, model: type[Model]) -> Model:
    """The document as `model`; raises InvalidDocument with every error at its own line.

    The model forbids unknown keys (`extra="forbid"`) to have them found. A validator of its own
    raises ValueError with a message for people: what is wrong, and what to write instead.
    """
    try:
        return model.model_validate(document.data)
    except ValidationError as error:
        raise InvalidDocument(_problems(document, model, error.errors(include_url=False))) from None


def _problems(
    document: Document, model: type[BaseModel], errors: list[ErrorDetails]
) -> Iterator[Problem]:
    by_path: defaultdict[KeyPath, list[ErrorDetails]] = defaultdict(list)
    for error in errors:
        by_path[_path(document.data, error)].append(error)
    around = {path[:depth] for path in by_path for depth in range(len(path))}
    misspelt = {
        (path[:-1], closest(str(path[-1]), keys_at(model, path[:-1])))
        for path, found in by_path.items()
        if any(error["type"] == "extra_forbidden" for error in found)
    }
    for path, found in by_path.items():
        for message in _messages(model, path, found, deeper=path in around):
            yield document.problem(path, message)
        for error in found:
            if error["type"] == "missing" and (path, error["loc"][-1]) not in misspelt:
                yield document.problem(path, f"the key {error['loc'][-1]!r} is missing")


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
