"""Templates of reports: files of one folder, and nothing else of the machine."""

from pathlib import Path, PurePosixPath, PureWindowsPath

from engine.documents.closest import suggestion

SUFFIXES = (".html", ".xlsx")
"""Pages, and workbooks."""


def wrong_template(folder: Path, name: str) -> str | None:
    """Why a report cannot be made by the template `name` of `folder`; None if it can.

    What lies elsewhere is not even looked at: nobody learns from it whether there is such a file.
    """
    if _is_elsewhere(name):
        return f"a template is a file of {folder.name}; write its name in there, not {name!r}"
    if not name.endswith(SUFFIXES):
        return f"a template is a page (.html) or a workbook (.xlsx), not {name!r}"
    path = folder / name
    if not path.resolve().is_relative_to(folder.resolve()):
        return f"the template {name!r} is a link that leads out of {folder.name}"
    if not path.is_file():
        known = sorted(each.name for each in folder.glob("*") if each.name.endswith(SUFFIXES))
        return f"{folder.name} has no template {name!r}; {suggestion(name, known)}"
    return None


def _is_elsewhere(name: str) -> bool:
    rooted = PurePosixPath(name).is_absolute() or PureWindowsPath(name).anchor
    return bool(rooted) or "\\" in name or "\0" in name or ".." in PurePosixPath(name).parts
