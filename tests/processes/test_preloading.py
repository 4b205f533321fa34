"""What a fork server loads ahead, so that its attempts need not."""

import json
import os
import subprocess
import sys
from pathlib import Path

JOBS = '''
"""Jobs that do nothing."""

from engine.authoring import job


@job()
def nothing(context, *, number: int = 1):
    """Nothing at all."""
'''
ATTEMPT = """
import importlib, json, sys
from engine.app import build_app
from engine.execution.orders import Order
from engine.settings import load_settings

for module in build_app(load_settings())._preload():
    importlib.import_module(module)
perform = importlib.import_module("engine.attempt.perform").performer()
loaded = set(sys.modules)


class Report:
    def outcome(self, value):
        print(json.dumps([value, sorted(set(sys.modules) - loaded)]))


payload = {
    "job": "nothing", "module": "jobs.idle", "reference": "", "params": {"number": 2}, "sealed": {},
    "schedule": None, "scheduled_for": None, "period": None,
}
perform(Order(id="1:1", run_id=1, attempt=1, token="", payload=payload), Report())
"""


def test_an_attempt_loads_nothing_but_what_its_job_does(tmp_path: Path) -> None:
    (tmp_path / "jobs").mkdir()
    (tmp_path / "jobs" / "__init__.py").touch()
    (tmp_path / "jobs" / "idle.py").write_text(JOBS)
    done = subprocess.run(  # noqa: S603 - our own
        [sys.executable, "-c", ATTEMPT],
        env={**os.environ, "ENGINE_HOME": str(tmp_path)},
        check=True,
        capture_output=True,
        text=True,
    )
    assert json.loads(done.stdout) == [{"result": None}, []]
