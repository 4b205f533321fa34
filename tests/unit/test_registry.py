"""The registry: jobs are found in a folder, each by one name."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.registry import BrokenJobs, TwinJobs, UnknownJob, discover, find, load

JOB = """
from engine.authoring import job
from engine.job import Job

@job()
def {name}(context):
    '''Do nothing.'''
"""


@pytest.fixture(autouse=True)
def clean_imports() -> Iterator[None]:
    """What these tests import is forgotten after each."""
    path, modules = list(sys.path), set(sys.modules)
    yield
    sys.path[:] = path
    for name in set(sys.modules) - modules:
        del sys.modules[name]


def a_home(folder: Path, package: str, **modules: str) -> Path:
    """A home whose `package` has these modules."""
    (folder / package).mkdir(parents=True)
    (folder / package / "__init__.py").touch()
    for name, text in modules.items():
        (folder / package / f"{name}.py").write_text(text)
    return folder


def test_every_job_of_every_module_is_found(tmp_path: Path) -> None:
    home = a_home(tmp_path, "found_jobs", a=JOB.format(name="x"), b=JOB.format(name="y"))
    (home / "found_jobs" / "notes.txt").touch()
    assert list(discover(home, "found_jobs")) == ["x", "y"]
    assert sys.path[0] == str(home)


def test_a_home_without_jobs_has_none(tmp_path: Path) -> None:
    assert discover(tmp_path) == {}


def test_a_job_that_another_module_imports_is_found_once(tmp_path: Path) -> None:
    home = a_home(tmp_path, "shared_jobs", a=JOB.format(name="x"), b="from shared_jobs.a import x")
    assert list(discover(home, "shared_jobs")) == ["x"]


def test_two_jobs_of_one_name_are_refused(tmp_path: Path) -> None:
    home = a_home(tmp_path, "twin_jobs", a=JOB.format(name="x"), b=JOB.format(name="x"))
    with pytest.raises(TwinJobs, match=r"'x': in twin_jobs\.a and in twin_jobs\.b"):
        discover(home, "twin_jobs")


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("import absent_module", "ModuleNotFoundError: No module named 'absent_module'"),
        ("def (", "SyntaxError"),
        ("1 / 0", "ZeroDivisionError"),
        ("raise SystemExit(3)", "SystemExit: 3"),
    ],
)
def test_a_module_that_cannot_be_imported_is_named(tmp_path: Path, text: str, error: str) -> None:
    home = a_home(tmp_path, "broken_jobs", a=text)
    with pytest.raises(BrokenJobs, match=f"jobs in broken_jobs.a cannot be imported: {error}"):
        discover(home, "broken_jobs")


def test_what_is_wrong_with_one_module_is_told_and_the_others_are_found(tmp_path: Path) -> None:
    home = a_home(
        tmp_path,
        "tolerant",
        a_good=JOB.format(name="good"),
        b_broken="def (",
        c_twin=JOB.format(name="good"),
    )
    faults: list[Exception] = []
    found = discover(home, "tolerant", on_fault=faults.append)
    assert (list(found), [type(each) for each in faults]) == (["good"], [BrokenJobs, TwinJobs])


def test_a_package_of_that_name_elsewhere_is_not_taken_for_it(tmp_path: Path) -> None:
    other = a_home(tmp_path / "other", "rival_jobs", a=JOB.format(name="x"))
    home = a_home(tmp_path / "home", "rival_jobs", b=JOB.format(name="y"))
    sys.path[:0] = [str(other), str(home)]
    assert list(discover(home, "rival_jobs")) == ["y"]


def test_a_module_imported_from_elsewhere_before_is_not_taken_for_it(tmp_path: Path) -> None:
    other = a_home(tmp_path / "other", "early_jobs", a=JOB.format(name="x"))
    home = a_home(tmp_path / "home", "early_jobs", a=JOB.format(name="y"))
    discover(other, "early_jobs")
    with pytest.raises(BrokenJobs, match=r"other/early_jobs/a.py was imported in its place"):
        discover(home, "early_jobs")


def test_an_unknown_name_comes_with_the_closest_one(tmp_path: Path) -> None:
    jobs = discover(a_home(tmp_path, "close_jobs", a=JOB.format(name="reconcile")), "close_jobs")
    assert find(jobs, "reconcile").name == "reconcile"
    with pytest.raises(UnknownJob, match="'reconsile'; closest known name: 'reconcile'"):
        find(jobs, "reconsile")
    with pytest.raises(UnknownJob, match="'zzz'; `engine jobs` lists them"):
        find(jobs, "zzz")


def test_one_job_is_loaded_whatever_is_wrong_with_other_modules(tmp_path: Path) -> None:
    home = a_home(tmp_path, "loaded_jobs", good=JOB.format(name="greet"), broken="import nope")
    assert load(home, "loaded_jobs.good", "greet").name == "greet"
    with pytest.raises(BrokenJobs):
        load(home, "loaded_jobs.broken", "greet")
    with pytest.raises(UnknownJob):
        load(home, "loaded_jobs.good", "part")
