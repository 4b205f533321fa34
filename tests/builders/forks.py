"""Processes that do one thing at once: forked from one that has imported what they need."""

import subprocess
import sys
from pathlib import Path
from textwrap import dedent, indent

_ROOT = Path(__file__).parents[2]
_ENDS_WITHIN = 60.0

_SCRIPT = """
import os, sys, traceback
{imports}
def say(value):
    os.write(1, f"{{value}}\\n".encode())
count, arguments = int(sys.argv[1]), sys.argv[2:]
gate, opener = os.pipe()
children = []
for number in range(count):
    if child := os.fork():
        children.append(child)
        continue
    try:
        os.close(opener)
{prepare}
        os.read(gate, 1)  # until it is opened for all
{work}
    except BaseException:
        traceback.print_exc()
        os._exit(1)
    os._exit(0)
os.close(opener)
sys.exit(any([os.waitpid(child, 0)[1] for child in children]))
"""


def at_once(count: int, *arguments: str, imports: str, prepare: str = "", work: str) -> str:
    """What `count` processes say, each of which prepares itself, waits for all, and works.

    Their code knows its `number` and the `arguments`; what it says by `say(value)` is a line, which
    no other process writes into. Each ends within a minute, without an error.
    """
    script = _SCRIPT.format(imports=dedent(imports), prepare=_inner(prepare), work=_inner(work))
    done = subprocess.run(  # noqa: S603 - our own interpreter and code
        [sys.executable, "-c", script, str(count), *arguments],
        cwd=_ROOT,
        capture_output=True,
        text=True,
        timeout=_ENDS_WITHIN,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def _inner(code: str) -> str:
    return indent(dedent(code).strip(), " " * 8)
