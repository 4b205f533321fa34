"""Financial jobs of a test's home: copied there as jobs/charges.py."""

import http.client
import json
import uuid
from datetime import timedelta
from functools import partial
from typing import Any
from urllib.parse import urlsplit

from engine.authoring import JobContext, NotDone, RetryPolicy, job

AT_ONCE = RetryPolicy(attempts=100, waits=(timedelta(0),))
_PATIENCE = 1.0
_DONE, _TURNED_DOWN = 200, 402


@job(financial=True, effects="once", retry=AT_ONCE)
def charge_orders(context: JobContext, *, first: int, count: int, url: str) -> int:
    """Charge each order by its key, which the gateway charges once."""
    for number in range(first, first + count):
        key, order = f"order {number}", {"order": number, "amount": 100 + number}
        context.once(key, order, partial(_charge, url, key, order), repeatable=True)
    return count


@job(financial=True, effects="once", retry=AT_ONCE)
def charge_orders_blindly(context: JobContext, *, first: int, count: int, url: str) -> int:
    """Charge each order, where a second request would charge it again."""
    for number in range(first, first + count):
        key, order = f"order {number}", {"order": number, "amount": 100 + number}
        context.once(key, order, partial(_charge, url, key, order))
    return count


def _charge(url: str, key: str, order: dict[str, int]) -> Any:
    place = urlsplit(url)
    connection = http.client.HTTPConnection(place.netloc, timeout=_PATIENCE)
    try:
        body = json.dumps({"key": key, **order})
        connection.request("POST", place.path, body, {"X-Delivery": uuid.uuid4().hex})
        answer = connection.getresponse()
        if answer.status == _TURNED_DOWN:
            raise NotDone("the gateway turned it down")
        if answer.status != _DONE:
            raise ConnectionError(f"the gateway answered {answer.status}")
        return json.loads(answer.read())
    finally:
        connection.close()
