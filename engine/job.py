"""A job: a named function and how it wants to be run."""

import inspect
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import cached_property
from typing import Any, Literal, Self, cast

from engine.limits import DuplicatePolicy, LimitGroup, Limits, Rate, key_of, limit_problems
from engine.redaction.hiding import MASK, hidden
from engine.redaction.names import is_secret_name
from engine.retry import RetryPolicy
from engine.signature import InvalidJob, InvalidParams, Param, Signature

CrashPolicy = Literal["retry", "fail"]
EffectsPolicy = Literal["once"]
_ORDINARY = RetryPolicy()
# A job that declares an hour of its own has another object.
_AN_HOUR: timedelta = timedelta(hours=1)
QUEUE_NAME = re.compile(r"[a-z0-9_]+")


@dataclass(frozen=True, kw_only=True)
class JobDefaults:
    """What a worker was told for jobs that do not say it themselves; None or empty: nothing.

    A `time_limit` of zero is none at all.
    """

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

    A `financial` job moves money. A run of it that ends badly waits for a review, and how far an
    attempt came that was interrupted, nobody knows: it has one attempt, and is never repeated but
    by a person. Unless its `effects` are all done by `context.once`, which knows: then it is tried
    again as any other, as long as none of them is unknown.
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
    financial: bool = False
    effects: EffectsPolicy | None = None

    def __post_init__(self) -> None:
        if not QUEUE_NAME.fullmatch(self.queue):
            raise InvalidJob(name=self.name, text=f"queue {self.queue!r} must match [a-z0-9_]+")
        if (problem := self.retry.problem) is not None:
            raise InvalidJob(name=self.name, text=problem)
        self._settle_effects()
        if not self.isolated and self.memory_limit is not None:
            raise InvalidJob(name=self.name, text="a memory limit needs isolated=True")
        self._signature.require_usable()
        if problems := limit_problems(self, self._signature.names):
            raise InvalidJob(name=self.name, text="; ".join(problems))
        self._require_plain_keys()

    def _settle_effects(self) -> None:
        if self.effects not in (None, "once"):
            text = f"effects is 'once', or nothing is said of them; not {self.effects!r}"
            raise InvalidJob(name=self.name, text=text)
        if not self.is_unguarded:
            return
        if self.retry.attempts not in (None, 1):
            text = (
                "a financial job has one attempt, unless it does all its effects by context.once "
                "and says so: effects='once'"
            )
            raise InvalidJob(name=self.name, text=text)
        # Nobody else's default either.
        object.__setattr__(self, "retry", replace(self.retry, attempts=1))
        object.__setattr__(self, "on_crash", "fail")

    @property
    def is_unguarded(self) -> bool:
        """Whether nothing says how far an attempt at it came that did not succeed."""
        return self.financial and self.effects != "once"

    def _require_plain_keys(self) -> None:
        """Raise InvalidJob if runs are told apart by a parameter that is sealed."""
        for name in (*(self.unique_by or ()), *self.limit_by):
            try:
                param = self.params[name]
            except InvalidJob:
                # Something that its annotations name is not there yet; it is asked again then.
                return
            if param.sealed:
                text = (
                    f"runs cannot be told apart by {name!r}, which is sealed; use an id, or a "
                    "reference to what it stands for"
                )
                raise InvalidJob(name=self.name, text=text)

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
            time_limit = defaults.time_limit or None
        return replace(self, retry=retry, time_limit=time_limit)

    @property
    def params(self) -> Mapping[str, Param]:
        """The parameters by name, in the order of the signature; the context is not one."""
        return self._signature.params

    def validate(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """`params` checked against the signature, as JSON-ready data without the defaults.

        Raises InvalidParams with every problem at once, and without what looks like a secret.
        """
        try:
            return self._signature.validate(params)
        except InvalidParams as error:
            told = cast("list[tuple[str, str]]", error.facts["problems"])
            problems = [(name, hidden(message)) for name, message in told]
            text = "; ".join(f"{name}: {message}" for name, message in problems)
            raise InvalidParams(job=self.name, text=text, problems=problems) from None

    def make_ready(self) -> None:
        """Make now what `arguments` needs; raises InvalidJob."""
        self._signature.make_ready()

    def arguments(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """Stored `params` as the Python values that the function takes."""
        return self._signature.arguments(params)

    @cached_property
    def limits(self) -> Limits:
        """What bounds its attempts."""
        rate = Rate.parse(self.rate) if self.rate is not None else None
        return Limits(concurrency=self.concurrency, rate=rate)

    def group_of(
        self, params: Mapping[str, Any], booked_in: str | None = None
    ) -> LimitGroup | None:
        """With whom a run with these stored `params` shares its limits; None if it has none.

        One that was booked into a group by a value that is masked since stays in `booked_in`.
        """
        if self.limits == Limits():
            return None
        values = self._signature.values(params, self.limit_by)
        if booked_in is not None and MASK in str(values):
            return LimitGroup(key=booked_in, limits=self.limits)
        return LimitGroup(key=key_of(self.name, values), limits=self.limits)

    def unique_key(self, params: Mapping[str, Any]) -> str | None:
        """The key that one unfinished run with these stored `params` has at most."""
        if self.unique_by is None:
            return None
        return key_of(self.name, self._signature.values(params, self.unique_by))

    @cached_property
    def _signature(self) -> Signature:
        return Signature(job=self.name, function=self.function, is_secret=is_secret_name)


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
    financial: bool = False,
    effects: EffectsPolicy | None = None,
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
            financial=financial,
            effects=effects,
        )

    return describe
