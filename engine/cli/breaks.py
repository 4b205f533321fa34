"""`engine breaks`: mismatches, tracked until they are closed."""

from typing import TYPE_CHECKING, Annotated

import typer

from engine.cli.context import the_app
from engine.cli.filters import not_empty
from engine.cli.output import Json, local, print_facts, print_json, print_table
from engine.cli.plain import on_one_line
from engine.errors import Invalid, UnknownId
from engine.money import format_minor
from engine.states import BreakState

if TYPE_CHECKING:
    from engine.store.breaks import Break

cli = typer.Typer(help="Mismatches, tracked until they are closed.", no_args_is_help=True)


class UnknownStatus(Invalid):
    """No break ever has this status."""

    message = "--status: {name!r} is no status; known: {known}"


@cli.command("list")
def list_(
    reconciliation: Annotated[
        str | None, typer.Option(help="Of this reconciliation.", callback=not_empty)
    ] = None,
    status: Annotated[
        str | None, typer.Option(help="With this status; all if left out.", callback=not_empty)
    ] = None,
    code: Annotated[
        str | None, typer.Option(help="With this code, such as CHAIN_BREAK.", callback=not_empty)
    ] = None,
    wallet: Annotated[str | None, typer.Option(help="Of this wallet.", callback=not_empty)] = None,
    currency: Annotated[
        str | None, typer.Option(help="In this currency.", callback=not_empty)
    ] = None,
    run: Annotated[
        str | None, typer.Option(help="Seen by this run, by id or reference.", callback=not_empty)
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=1_000_000, help="At most so many.")] = 50,
    offset: Annotated[int, typer.Option(min=0, help="Leave out the first so many.")] = 0,
    as_json: Json = False,
) -> None:
    """The largest amounts first.

    \b
    Examples:
      engine breaks list --status open
      engine breaks list --code CHAIN_BREAK --limit 10
      engine breaks list --run 42 --json
    """
    app = the_app()
    if status is not None and status not in list(BreakState):
        raise UnknownStatus(name=status, known=", ".join(BreakState))
    found = app.breaks.list(
        reconciliation=reconciliation,
        status=status,
        code=code,
        wallet=wallet,
        currency=currency,
        run_id=app.runs.find(run).id if run is not None else None,
        limit=limit + 1,
        offset=offset,
    )
    shown = found[:limit]
    if as_json:
        print_json({"breaks": [each.as_json() for each in shown]})
        return
    columns = [
        "id",
        "code",
        "status",
        "wallet",
        "entry",
        "amount",
        "currency",
        "occurrences",
        "first_seen",
    ]
    print_table(
        [_row(each) for each in shown],
        columns,
        right=["amount"],
        empty="No such breaks: all agrees.",
    )
    if len(found) > limit:
        print(f"There are more: --offset {offset + limit}, or a larger --limit.")


@cli.command()
def show(
    id_: Annotated[str, typer.Argument(metavar="ID", help="The break's id.")],
    as_json: Json = False,
) -> None:
    """One break: what differs, what became of it, which runs saw it.

    \b
    Examples:
      engine breaks show 7
    """
    if not id_.isdecimal():
        raise UnknownId(noun="break", id=id_)
    history = the_app().breaks.show(int(id_))
    known = history.known
    if as_json:
        print_json(
            known.as_json()
            | {
                "details": dict(known.details),
                "moves": [move.as_json() for move in history.moves],
                "sightings": [vars(sighting) for sighting in history.sightings],
            }
        )
        return
    print_facts(
        {
            "break": known.id,
            "identity": known.identity,
            "reconciliation": known.reconciliation,
            "check": f"{known.check}, {known.code} ({known.kind})",
            "status": known.status,
            "wallet": known.wallet,
            "entry": known.entry,
            "amount": _money(known.amount_minor, known.currency),
            "expected": _money(known.expected_minor, known.currency),
            "actual": _money(known.actual_minor, known.currency),
            "severity": known.severity,
            "seen": f"{known.occurrences} times, "
            f"{local(known.first_seen_at)} to {local(known.last_seen_at)}",
            "details": dict(known.details) or None,
        }
    )
    for move in history.moves:
        run = f" by run {move.run_id}" if move.run_id else ""
        reason = f": {on_one_line(move.reason)}" if move.reason else ""
        print(f"{local(move.moved_at)} {move.source or 'new'} -> {move.target}{run}{reason}")


def _row(each: "Break") -> dict[str, object]:
    return {
        "id": each.id,
        "code": each.code,
        "status": each.status,
        "wallet": each.wallet,
        "entry": each.entry,
        "amount": format_minor(each.amount_minor, each.currency),
        "currency": each.currency,
        "occurrences": each.occurrences,
        "first_seen": each.first_seen_at,
    }


def _money(minor: int | None, currency: str) -> str | None:
    return None if minor is None else f"{format_minor(minor, currency)} {currency}"
