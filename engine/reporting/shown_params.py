"""Shown params: what a report's files, manifests and records may tell of the values it is of."""

from collections.abc import Iterator, Mapping
from typing import Any

from engine.documents.problem import KeyPath
from engine.redaction.hiding import MASK, hidden_data
from engine.reporting.definition import Param, ReportDefinition
from engine.secret_references import has_references

_NO_SECRETS = (
    "a secret cannot be a param of a report: its rows and files may tell it; only `password` "
    "takes ${secret:...}"
)


def shown_values(
    definition: ReportDefinition, values: Mapping[str, Any], stored: Mapping[str, Any]
) -> Mapping[str, Any]:
    """`values` as anybody may see them: whatever the run's `stored` parameters hide is hidden."""
    held = stored.get("params")
    given = {**stored, **held} if isinstance(held, Mapping) else stored
    return {
        name: _shown(definition.params[name], value, given.get(name))
        for name, value in values.items()
    }


def is_hidden(stored: Any) -> bool:
    """Whether a stored parameter hides what it stands for: behind a mask, or a reference."""
    return MASK in str(stored) or has_references(stored)


def referring(given: Any) -> Iterator[tuple[KeyPath, str]]:
    """Params that refer to secrets, each by its way from those of the run."""
    if not isinstance(given, Mapping):
        if has_references(given):
            yield ("params",), _NO_SECRETS
        return
    for name, value in given.items():
        if has_references(value):
            yield ("params", name), _NO_SECRETS


def _shown(param: Param, value: Any, stored: Any) -> Any:
    if value is None:
        return None
    if param.personal:
        return MASK
    if is_hidden(stored):
        return stored
    # A job of somebody's own may give what no booking has seen.
    return hidden_data({param.name: value})[param.name]
