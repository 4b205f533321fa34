"""`engine reports`: queries that become files."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from engine.cli.context import the_app
from engine.cli.output import Json, print_json, print_table
from engine.errors import EngineError

if TYPE_CHECKING:
    from engine.reporting.definition import ReportDefinition

cli = typer.Typer(help="Queries that become files: reports/.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(metavar="REPORT", help="`engine reports list` has them.")]
Params = Annotated[
    list[str] | None, typer.Option("-p", "--param", help="One of its params, as name=value.")
]
Period = Annotated[
    str | None,
    typer.Option(
        help="A day (2026-01-31), a month (2026-01), two days (2026-01-01/2026-01-15), or "
        "previous_day, previous_week, previous_month."
    ),
]
Formats = Annotated[list[str] | None, typer.Option("--format", help="Instead of the report's own.")]
Locales = Annotated[list[str] | None, typer.Option("--locale", help="en or ar; else its own.")]
Personal = Annotated[
    bool, typer.Option("--personal", help="With what is somebody's own; takes a role, is audited.")
]


@cli.command("list")
def list_(as_json: Json = False) -> None:
    """The reports, what each is made of, and what is wrong with one.

    \b
    Examples:
      engine reports list
      engine reports list --json
    """
    found = [_report(name) for name in the_app().report_definitions]
    if as_json:
        print_json({"reports": found})
        return
    rows = [
        each
        | {
            "formats": ",".join(each["formats"]),
            "locales": ",".join(each["locales"]),
            "params": ",".join(param["name"] for param in each["params"]),
            "problem": (each["problem"] or "").partition("\n")[0],
        }
        for each in found
    ]
    columns = ["name", "title", "owner", "source", "period", "params", "formats", "locales"]
    columns += ["problem"] if any(row["problem"] for row in rows) else []
    print_table(rows, columns, empty="No reports yet: write reports/<name>.yaml.", spare=["owner"])


def _report(name: str) -> dict[str, Any]:
    facts: dict[str, Any] = {
        **dict.fromkeys(("title", "owner", "source", "period")),
        **{key: [] for key in ("datasets", "params", "formats", "locales")},
        "problem": None,
    }
    try:
        definition = the_app().report_definitions.load(name)
    except EngineError as error:
        # One wrong file must not hide the others.
        return {"name": name, **facts, "problem": str(error)}
    return {"name": name, **facts, **_facts(definition)}


def _facts(definition: "ReportDefinition") -> dict[str, Any]:
    return {
        "title": definition.title.en,
        "owner": definition.owner,
        "source": definition.source,
        "period": definition.period,
        "datasets": [each.name for each in definition.datasets],
        "params": [
            {
                "name": each.name,
                "type": each.type,
                "required": each.required,
                "default": each.default,
                "choices": list(each.choices),
            }
            for each in definition.params.values()
        ],
        "formats": list(definition.formats),
        "locales": list(definition.locales),
    }


@cli.command()
def run(
    report: Name,
    param: Params = None,
    period: Period = None,
    format_: Formats = None,
    locale: Locales = None,
    personal: Personal = False,
    wait: Annotated[
        bool, typer.Option("--wait", help="Show progress until it ends; exit 1 if it failed.")
    ] = False,
    key: Annotated[
        str | None, typer.Option(help="Idempotency key: the same key is the same run.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Make a report once, by a worker; `engine run report -p name=...` does the same.

    \b
    Examples:
      engine reports run daily_sales --wait
      engine reports run daily_sales --period 2026-11-23 --format xlsx --format csv --locale ar
      engine reports run wallet_statement -p wallet=700001 --personal --wait
    """
    from engine.cli.run import run as run_job

    given = [f"name={report}", *(param or [])]
    given += [f"period={period}"] if period is not None else []
    given += [f"formats={','.join(format_)}"] if format_ else []
    given += [f"locales={','.join(locale)}"] if locale else []
    given += ["personal=true"] if personal else []
    run_job("report", given, wait=wait, key=key, as_json=as_json)


@cli.command()
def preview(
    report: Name,
    param: Params = None,
    period: Period = None,
    format_: Formats = None,
    locale: Annotated[str, typer.Option(help="en or ar.")] = "en",
    rows: Annotated[int, typer.Option(min=1, max=1000, help="At most so many.")] = 10,
    plan: Annotated[
        bool, typer.Option("--plan", help="Also how the database goes about it.")
    ] = False,
    as_json: Json = False,
) -> None:
    """The first rows, how many there are, and what a run will cost; nothing is made or stored.

    What is personal is masked. A cost is guessed from having written some of the rows.

    \b
    Examples:
      engine reports preview daily_sales
      engine reports preview ledger_export --period 2026-10 --rows 5 --format csv --format pdf
      engine reports preview daily_sales --plan --json
    """
    from dataclasses import asdict
    from tempfile import TemporaryDirectory

    from engine.cli.run import params_of
    from engine.operations.instants import rfc3339
    from engine.reporting.asking import Wish

    wish = Wish(
        params=params_of(param or []),
        period=period,
        formats=format_,
        locales=[locale],
    )
    with TemporaryDirectory(prefix="engine-preview-") as scratch:
        found = the_app().previews.look(report, wish, most=rows, scratch=Path(scratch))
    if as_json:
        print_json({**asdict(found), "read_at": rfc3339(found.read_at)})
        return
    for dataset in found.datasets:
        print(dataset.name if len(found.datasets) > 1 else report)
        shown = [dict(zip(dataset.names, row, strict=True)) for row in dataset.rows]
        print_table(shown, dataset.names, empty="No rows.", right=dataset.numbers)
        count = dataset.count if dataset.count is not None else dataset.expected
        about = "" if dataset.count is not None else "about "
        noun = "row" if count == 1 else "rows"
        said = f"{about}{count:,} {noun}" if count is not None else "nobody knows how many rows"
        print(f"{said}{f', of {found.period}' if found.period else ''}")
        for line in dataset.plan if plan else ():
            print(f"  {line}")
        print()
    costs = [
        {
            "format": each.format,
            "cpu": f"{each.seconds:.1f} s",
            "size": f"{each.size / 1e3:,.0f} kB",
        }
        for each in found.costs
    ]
    print_table(costs, ["format", "cpu", "size"], empty="", right=["cpu", "size"])


@cli.command()
def check(
    report: Annotated[
        str | None, typer.Argument(metavar="[REPORT]", help="One report; all if left out.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Are the files right, and do their queries give what they declare? Exit 2 if not.

    A source that cannot be reached is said, and is no error.

    \b
    Examples:
      engine reports check
      engine reports check daily_sales --json
    """
    from engine.documents.problem import InvalidDocument
    from engine.reporting.definitions import UnknownReport

    definitions = the_app().report_definitions
    names = list(definitions) if report is None else [report]
    problems: list[dict[str, Any]] = []
    unchecked: list[str] = []
    for name in names:
        try:
            unchecked += definitions.check(name)[1]
        except UnknownReport:
            raise
        except InvalidDocument as error:
            problems += [vars(each) | {"text": str(each)} for each in error.problems]
    if as_json:
        print_json(
            {"valid": not problems, "problems": problems, "unchecked": sorted(set(unchecked))}
        )
    else:
        for each in problems:
            print(each["text"])
        for text in sorted(set(unchecked)):
            print(f"not held against its source: {text}")
        if not problems:
            noun = "report" if len(names) == 1 else "reports"
            print(f"{len(names)} {noun}, no errors")
    if problems:
        raise typer.Exit(2)


@cli.command()
def schema(as_json: Json = False) -> None:
    """The JSON Schema of a report's file, for editors.

    \b
    Examples:
      engine reports schema > reports/report.schema.json
    """
    from engine.reporting.schema import report_schema

    # It is a JSON document anyway.
    _ = as_json
    print_json(report_schema())
