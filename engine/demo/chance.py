"""Chance by seed: the same seed gives the same world on every machine and Python."""

from collections.abc import Sequence
from random import Random
from typing import TypeVar

Item = TypeVar("Item")


def chance(seed: int, purpose: str) -> Random:
    """A stream of its own for each purpose, so that one part can change and the rest stay."""
    return Random(f"{seed}/{purpose}")  # noqa: S311 - a demo's dice, no secret


def pick(items: Sequence[Item], random: Random) -> Item:
    """One of them; only `random()` is promised to give the same from Python to Python."""
    return items[int(random.random() * len(items))]
