import ast
from pathlib import Path

ROOT = Path(__file__).parents[2]
MAY_READ = {"engine/demo/night.py", "engine/cli/demo.py"}  # after the run has ended
MAY_WRITE = {"engine/demo/world.py", "engine/demo/faults/planting.py"}


def test_nothing_that_looks_for_faults_may_know_where_they_are() -> None:
    knowing = {
        path.relative_to(ROOT).as_posix()
        for folder in ("engine", "jobs")
        for path in (ROOT / folder).rglob("*.py")
        if _imports(path, "engine.demo.truth")
    }
    assert knowing <= MAY_READ | MAY_WRITE


def test_the_world_is_known_to_the_demo_and_its_command_only() -> None:
    for folder in ("engine", "jobs"):
        for path in (ROOT / folder).rglob("*.py"):
            name = path.relative_to(ROOT).as_posix()
            if not name.startswith(("engine/demo/", "engine/cli/")):
                assert not _imports(path, "engine.demo"), name


def _imports(path: Path, module: str) -> bool:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [f"{node.module}", *(f"{node.module}.{alias.name}" for alias in node.names)]
        else:
            continue
        if any(name == module or name.startswith(f"{module}.") for name in names):
            return True
    return False
