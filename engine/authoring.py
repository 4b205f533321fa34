"""All that a module of jobs may import."""

from engine.effects.faults import NotDone as NotDone
from engine.execution.context import JobContext as JobContext
from engine.job import Job as Job
from engine.job import job as job
from engine.retry import RetryLater as RetryLater
from engine.retry import RetryPolicy as RetryPolicy
from engine.signature import Identifier as Identifier
from engine.signature import Names as Names
from engine.signature import Others as Others
from engine.signature import Personal as Personal
from engine.signature import ReconciliationName as ReconciliationName
from engine.signature import ReportName as ReportName
from engine.signature import Secret as Secret
