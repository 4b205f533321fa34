"""The engine that a command works on."""

from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    # Whatever costs time to import is imported by the command that runs, so that help is instant.
    from engine.app import App


@cache
def the_app() -> "App":
    """The engine of this process's settings; raises InvalidSettings.

    Raises Refused where whoever acts may not do what this process's command does.
    """
    from engine.app import build_app
    from engine.cli.acting import require_may
    from engine.settings import load_settings

    app = build_app(load_settings())
    require_may(app)
    return app
