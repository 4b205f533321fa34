"""Who is acting: the operating system's login, with the person behind sudo."""

import getpass
import os


def current_actor() -> str:
    """`root`, or `root (sudo from sara)`."""
    try:
        login = getpass.getuser()
    except (KeyError, OSError):
        login = f"uid {os.getuid()}"
    origin = os.environ.get("SUDO_USER")
    return f"{login} (sudo from {origin})" if origin else login
