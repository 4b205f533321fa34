"""The id of a row, as people type it and as a database holds it."""

from engine.errors import UnknownId

_LARGEST = 2**63 - 1


def require_id(noun: str, number: int) -> None:
    """Raise UnknownId for a number that no database's integer holds."""
    if not 0 <= number <= _LARGEST:
        raise UnknownId(noun=noun, id=number)
