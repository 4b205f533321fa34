"""What an attempt's process does: call the job, deliver the outcome."""

from engine.app import build_app
from engine.attempt.child import Perform
from engine.attempt.report import Report
from engine.execution.orders import Order
from engine.settings import load_settings


def performer() -> Perform:
    """What carries out attempts, made once in the fork server, so that no attempt has to.

    Nothing is opened here: a connection that two processes share would answer the wrong one.
    """
    app = build_app(load_settings())
    app.make_jobs_ready()

    def perform(order: Order, report: Report) -> None:
        try:
            report.outcome(app.perform(order, report))
        finally:
            app.close()

    return perform
