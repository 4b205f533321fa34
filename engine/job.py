"""A job: a named function and how it wants to be run."""

import inspect
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import cached_property
from typing import Any, Literal, Self

from engine.limits import DuplicatePolicy, LimitGroup, Limits, Rate, key_of, limit_problems
from engine.retry import RetryPolicy
from engine.signature import InvalidJob, Param, Signature

CrashPolicy = Literal["retry", "fail"]
_ORDINARY = RetryPolicy()
# A job that declares an hour of its own has another object.
_AN_HOUR: timedelta = timedelta(hours=1)
QUEUE_NAME = re.compile(r"[a-z0-9_]+")


@dataclass(frozen=True, kw_only=True)
class JobDefaults:
    """What a worker was told for jobs that do not say it themselves; None or empty: nothing."""

    attempts: int | None = None
    waits: tuple[timedelta, ...] = ()
    time_limit: timedelta | None = None


@dataclass(frozen=True, kw_only=True)
class Job:
    """A function and the policies its runs obey. `time_limit` and `memory_limit` (bytes) bound the
    attempt's whole process group; `on_crash` says what a lost worker means; `isolated=False`
    runs one short call in the worker's own thread, where no limit can be enforced.

    At most one run with the same values of the parameters `unique_by` is unfinished, () means one
    of the job; booking another one gives that one, or is refused, as `on_duplicate` says. At most
    `concurrency` attempts go on at any instant, and no more of them start in any second, minute or
    hour than `rate` ("10/s", "60/m", "500/h") allows: of the job, or for each value of the
    parameters `limit_by`. The ready run with the highest `priority` is the first of its queue.
    """

    name: str
    function: Callable[..., Any]
    queue: str = "default"
    retry: RetryPolicy = _ORDINARY
    time_limit: timedelta | None = _AN_HOUR
    memory_limit: int | None = None
    on_crash: CrashPolicy = "retry"
    isolated: bool = True
    unique_by: tuple[str, ...] | None = None
    on_duplicate: DuplicatePolicy = "return"
    concurrency: int | None = None
    rate: str | None = None
    limit_by: tuple[str, ...] = ()
    priority: int = 0

    def __post_init__(self) -> None:
        if not QUEUE_NAME.fullmatch(self.queue):
            raise InvalidJob(name=self.name, text=f"queue {self.queue!r} must match [a-z0-9_]+")
        if (problem := self.retry.problem) is not None:
            raise InvalidJob(name=self.name, text=problem)
        if not self.isolated and self.memory_limit is not None:
            raise InvalidJob(name=self.name, text="a memory limit needs isolated=True")
        self._signature.require_usable()
        if problems := limit_problems(self, self._signature.names):
            raise InvalidJob(name=self.name, text="; ".join(problems))

    @property
    def summary(self) -> str:
        """The first line of the function's docstring."""
        return (inspect.getdoc(self.function) or "").partition("\n")[0]

    @property
    def attempts(self) -> int:
        """How many attempts a run of it has in all."""
        return self.retry.total_attempts

    def with_defaults(self, defaults: JobDefaults) -> Self:
        """The job as a worker with these `defaults` carries it out; what it declares stays."""
        retry = self.retry
        if retry.attempts is None:
            retry = replace(retry, attempts=defaults.attempts)
        if defaults.waits and not retry.declares_waits:
            retry = replace(retry, waits=defaults.waits)
        time_limit = self.time_limit
        if time_limit is _AN_HOUR and defaults.time_limit is not None:
            time_limit = defaults.time_limit
        return replace(self, retry=retry, time_limit=time_limit)

    @property
    def params(self) -> Mapping[str, Param]:
        """The parameters by name, in the order of the signature; the context is not one."""
        return self._signature.params

    def validate(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """`params` checked against the signature, as JSON-ready data without the defaults.

        Raises InvalidParams with every problem at once.
        """
        return self._signature.validate(params)

    def arguments(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """Stored `params` as the Python values that the function takes."""
        return self._signature.arguments(params)

    @cached_property
    def limits(self) -> Limits:
        """What bounds its attempts."""
        rate = Rate.parse(self.rate) if self.rate is not None else None
        return Limits(concurrency=self.concurrency, rate=rate)

    def group_of(self, params: Mapping[str, Any]) -> LimitGroup | None:
        """With whom a run with these stored `params` shares its limits; None if it has none."""
        if self.limits == Limits():
            return None
        values = self._signature.values(params, self.limit_by)
        return LimitGroup(key=key_of(self.name, values), limits=self.limits)

    def unique_key(self, params: Mapping[str, Any]) -> str | None:
        """The key that one unfinished run with these stored `params` has at most."""
        if self.unique_by is None:
            return None
        return key_of(self.name, self._signature.values(params, self.unique_by))

    @cached_property
    def _signature(self) -> Signature:
        return Signature(job=self.name, function=self.function)


def job(
    *,
    name: str | None = None,
    queue: str = "default",
    retry: RetryPolicy = _ORDINARY,
    time_limit: timedelta | None = _AN_HOUR,
    memory_limit: int | None = None,
    on_crash: CrashPolicy = "retry",
    isolated: bool = True,
    unique_by: tuple[str, ...] | None = None,
    on_duplicate: DuplicatePolicy = "return",
    concurrency: int | None = None,
    rate: str | None = None,
    limit_by: tuple[str, ...] = (),
    priority: int = 0,
) -> Callable[[Callable[..., Any]], Job]:
    """Describe a function as a Job, named after the function unless `name` is given."""

    def describe(function: Callable[..., Any]) -> Job:
        return Job(
            name=name or function.__name__,
            function=function,
            queue=queue,
            retry=retry,
            time_limit=time_limit,
            memory_limit=memory_limit,
            on_crash=on_crash,
            isolated=isolated,
            unique_by=unique_by,
            on_duplicate=on_duplicate,
            concurrency=concurrency,
            rate=rate,
            limit_by=limit_by,
            priority=priority,
        )

    return describe
