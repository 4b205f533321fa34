"""What jobs in threads of the worker print: lines of their runs, and of nobody else's."""

import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from engine.execution.orders import Stream
from engine.worker.printed import LONGEST_LINE, printing_to

Said = list[tuple[Stream, str]]


def test_what_is_printed_is_heard_line_by_line(capsys: pytest.CaptureFixture[str]) -> None:
    said: Said = []
    with printing_to(lambda *line: said.append(line)):
        sys.stdout.write("one 1\n")
        sys.stdout.write("two\nthr")
        sys.stderr.write("wrong\n")
        sys.stdout.writelines(["ee", "\n"])
        sys.stdout.buffer.write("four \xe4\n".encode() + b"\xff")
        sys.stdout.flush()
    sys.stdout.write("after\n")
    out, err = Stream.STDOUT, Stream.STDERR
    assert said == [
        *((out, "one 1"), (out, "two"), (err, "wrong"), (out, "three"), (out, "four \xe4")),
        (out, "\\xff"),
    ]
    assert capsys.readouterr() == ("after\n", "")


def test_other_threads_print_where_they_did(capsys: pytest.CaptureFixture[str]) -> None:
    said: Said = []
    with printing_to(lambda *line: said.append(line)), ThreadPoolExecutor(1) as threads:
        threads.submit(sys.stdout.write, "of another one\n").result()
        sys.stdout.writelines(["mine\n"])
    assert said == [(Stream.STDOUT, "mine")]
    assert capsys.readouterr().out == "of another one\n"


def test_each_thread_has_its_own_lines() -> None:
    meet = threading.Barrier(2)

    def attempt(name: str) -> Said:
        said: Said = []
        with printing_to(lambda *line: said.append(line)):
            meet.wait(10)
            sys.stdout.write(f"{name}\n")
            meet.wait(10)
        return said

    before = sys.stdout
    with ThreadPoolExecutor(2) as threads:
        heard = list(threads.map(attempt, ("a", "b")))
    assert heard == [[(Stream.STDOUT, "a")], [(Stream.STDOUT, "b")]]
    assert sys.stdout is before


def test_a_line_without_end_is_cut_and_what_is_too_much_is_not_kept() -> None:
    said: list[str] = []
    with printing_to(lambda _, line: said.append(line), limit=LONGEST_LINE + 10):
        sys.stdout.write("x" * (LONGEST_LINE + 3))
        sys.stdout.write("yyy\n")
        sys.stdout.write("more" * 10 + "\n")
        sys.stdout.write("no more\n")
    assert said == [
        "x" * LONGEST_LINE,
        "xxxyyy",
        "what follows is not kept: it is too much",
    ]


def test_the_streams_are_as_they_were_after_an_error() -> None:
    before = sys.stdout, sys.stderr
    with pytest.raises(ValueError, match="broken"), printing_to(lambda *_: None):
        raise ValueError("broken")
    assert (sys.stdout, sys.stderr) == before
