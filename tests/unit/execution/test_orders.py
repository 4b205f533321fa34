"""Messages survive the way between worker and fork server."""

from datetime import UTC, datetime, timedelta

import pytest

from engine.execution.orders import (
    MESSAGES,
    AttemptEnd,
    Broken,
    Cause,
    Line,
    Lines,
    Message,
    Order,
    Prepare,
    Progress,
    Ready,
    Renewed,
    Stop,
    StopReason,
    Stream,
    decode,
    encode,
)

SAID: list[Message] = [
    Prepare(performer="a:b", preload=("c",)),
    Ready(pid=1, problems=("x: y",)),
    Broken(error="no"),
    Order(id="1:1", run_id=1, attempt=1, token="t"),
    Order(
        id="1:2",
        run_id=1,
        attempt=2,
        token="t",
        time_limit=timedelta(milliseconds=1500),
        memory_limit=2**31,
        grace=timedelta(seconds=2),
        log_limit=10,
        fuse=timedelta(seconds=-0.5),
        payload={"text": "two\nlines ﷼", "none": None},
    ),
    Renewed(id="1:1", fuse=timedelta(milliseconds=6500)),
    Stop(id="1:1", reason=StopReason.LEASE_LOST),
    Lines(
        id="1:1",
        lines=(Line(datetime(2026, 1, 31, 12, 0, 0, 5, tzinfo=UTC), Stream.LOG, "a\nb"),),
    ),
    Progress(id="1:1", done=1, total=None, note="n"),
    AttemptEnd(id="1:1", cause=Cause.FINISHED, outcome={"result": [1]}, exit_code=0),
    AttemptEnd(
        id="1:1",
        cause=Cause.STOPPED,
        reason=StopReason.CANCELLED,
        error="e",
        signal=9,
        killed=2,
        duration=timedelta(seconds=1, microseconds=3),
        peak_memory_bytes=5,
    ),
]


@pytest.mark.parametrize("message", SAID, ids=lambda message: message.word)
def test_a_message_is_one_line_and_comes_back_equal(message: Message) -> None:
    line = encode(message)
    assert line.count(b"\n") == 1
    assert decode(line) == message


def test_every_message_is_tried() -> None:
    assert {message.word for message in SAID} == MESSAGES.keys()
