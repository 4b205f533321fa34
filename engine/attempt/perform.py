"""What an attempt's process does: join the engine anew, call the job, deliver the outcome."""

from engine.app import build_app
from engine.attempt.report import Report
from engine.execution.orders import Order
from engine.settings import load_settings


def perform(order: Order, report: Report) -> None:
    """Carry out the order. Nothing of the fork server's is used but its loaded modules:
    a connection that two processes share would answer the wrong one.
    """
    app = build_app(load_settings())
    try:
        report.outcome(app.perform(order, report))
    finally:
        app.close()
