"""`engine demo`: a whole night of the product in a minute."""

import sys
from typing import Annotated

import typer

from engine.cli.output import Json, print_json, print_table


def demo(
    wallets: Annotated[int, typer.Option(help="How many wallets the world has.")] = 2_000,
    entries: Annotated[int, typer.Option(help="How many ledger entries.")] = 100_000,
    seed: Annotated[int, typer.Option(help="The same seed makes the same world.")] = 7,
    as_json: Json = False,
) -> None:
    """Plant a wallet world with known errors, run the night on it, compare found with planted.

    \b
    Examples:
      engine demo
      engine demo --wallets 500 --entries 20000 --seed 11
    """
    from engine.demo.night import run_night
    from engine.settings import load_settings

    night = run_night(
        load_settings(), wallets=wallets, entries=entries, seed=seed, say=_say_to_stderr
    )
    if as_json:
        print_json(night.as_json())
    else:
        print()
        rows = [vars(tally) for tally in night.comparison.tallies]
        columns = ["check", "code", "planted", "found", "missing", "unexpected"]
        print_table(rows, columns, empty="Nothing was planted and nothing was found.")
        print()
        width = max((len(file.name) for file in night.files), default=0)
        for file in night.files:
            print(f"{file.name:<{width}} {file.rows:>6} rows  {file.location}")
        print()
        for line in night.next_steps:
            print(line)
        print()
        print("found = planted" if night.comparison.agrees else "FOUND AND PLANTED DIFFER")
    if not night.comparison.agrees:
        raise typer.Exit(1)


def _say_to_stderr(text: str) -> None:
    sys.stderr.write(text + "\n")
    sys.stderr.flush()
