"""Who does what a command does, and whether they may."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from engine.app import App
    from engine.operations.actor import Actor


def acting(app: "App", needs: str = "operator") -> "Actor":
    """Who acts in this process: the login that the operating system knows."""
    from engine.operations.actor import operating_system_login

    return operating_system_login()
