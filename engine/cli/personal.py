"""Files that show what is somebody's own: who may have one is said by the report that it is of."""

from typing import TYPE_CHECKING

from engine.cli.acting import why_not
from engine.errors import EngineError

if TYPE_CHECKING:
    from engine.app import App
    from engine.store.artifacts import Artifact

# Where the report is gone, or says no more to whom it shows what is personal.
_OTHERWISE = "approver"


def require_may_see(app: "App", artifact: "Artifact") -> None:
    """Raise Refused unless whoever acts may see what the file shows."""
    if artifact.report is None or app.runs.get(artifact.run_id).params.get("personal") is not True:
        return
    try:
        role = app.report_definitions.written(artifact.report).shows_personal_to
    except EngineError:
        role = None
    if (refused := why_not(app, role or _OTHERWISE)) is not None:
        raise refused
