"""The engine that a command works on."""

from functools import cache

from engine.app import App, build_app
from engine.settings import load_settings


@cache
def the_app() -> App:
    """The engine of this process's settings; raises InvalidSettings."""
    return build_app(load_settings())
