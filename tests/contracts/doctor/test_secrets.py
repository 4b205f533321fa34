"""What was sealed cannot be opened, or a secret is not there."""

import pytest

from engine.operations.doctor.cause import Verdict
from engine.operations.doctor.secrets import KEYS_MISSING, SECRETS_MISSING
from engine.sealing import Keys, Sealer
from engine.store.sealed_params import ToSeal
from tests.builders.patient import Home

OLD, NEW = "o" * 32, "n" * 32
SCHEDULES = """
schedules:
  hourly:
    job: pay
    cron: "0 * * * *"
    params: {token: "${secret:api}"}
"""
JOBS = '''
from engine.authoring import JobContext, job


@job()
def pay(context: JobContext, *, token: str) -> None:
    """Pay."""
'''


def sealed(home: Home, key: str) -> None:
    """Two failed runs with a secret each."""
    to_seal = ToSeal({"token": "hush"}, Sealer(Keys.parse(key)))
    for _ in range(2):
        home.failed_run(params={"token": "***"}, to_seal=to_seal)


def test_something_is_sealed_under_a_key_that_is_not_here(home: Home) -> None:
    sealed(home, OLD)
    for home.secret_key in (None, NEW):
        said = home.has(KEYS_MISSING)
        assert f"2 parameters are sealed under the key {Keys.parse(OLD).ids[0]}" in said
        assert "hush" not in said
    home.secret_key = f"{NEW},{OLD}"
    assert home.is_free_of(KEYS_MISSING)


def test_the_file_of_the_key_is_of_no_use(home: Home) -> None:
    file = home.settings.key_file
    if home.settings.database.startswith("postgresql:"):
        # It is not looked at there.
        file.made()
        assert home.is_free_of(KEYS_MISSING)
        return
    file.made()
    assert home.is_free_of(KEYS_MISSING)
    file.path.chmod(0o644)
    assert "others may read it; chmod 600" in home.has(KEYS_MISSING)
    file.path.write_text("hush")
    file.path.chmod(0o600)
    assert "hush" not in home.has(KEYS_MISSING)


def test_a_secret_of_a_schedule_is_not_there(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    (home.folder / "jobs" / "paying.py").write_text(JOBS)
    (home.folder / "schedules.yaml").write_text(SCHEDULES)
    assert "the schedule hourly: no secret is named 'api'" in home.has(SECRETS_MISSING)
    monkeypatch.setenv("ENGINE_SECRET_VAR_api", "hush")
    assert home.is_free_of(SECRETS_MISSING)
    (home.folder / "schedules.yaml").write_text("schedules: [")
    assert home.look(SECRETS_MISSING).verdict is Verdict.UNCHECKED
