"""`engine audit`: what operators did, and whether that is still what it was."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, get_args

import typer

from engine.cli.context import the_app
from engine.cli.filters import not_empty
from engine.cli.output import Json, local, print_json, print_table
from engine.errors import Invalid

if TYPE_CHECKING:
    from engine.app import App
    from engine.audit.verification import Finding, Verified
    from engine.store.audit_chain import AuditEntry

cli = typer.Typer(
    help="What operators did, and whether that is still what it was.", no_args_is_help=True
)

# Of each kind; a chain that was made anew is one finding, whatever its length.
_MOST = 5


class UnknownAct(Invalid):
    """There are no acts of that name, so nobody can have done one."""

    message = "--act: no act is named {name!r}; {hint}"


class WrongHead(Invalid):
    """What was given is no head."""

    message = "--head: {text!r} is no head; write it as the log has it, ID:MAC"


@cli.command("list")
def list_(
    actor: Annotated[
        str | None, typer.Option(help="What this one did.", callback=not_empty)
    ] = None,
    act: Annotated[
        str | None,
        typer.Option(help="Of this kind: retry, pause, 'add user' ...", callback=not_empty),
    ] = None,
    subject: Annotated[
        str | None,
        typer.Option(help="What was done to this: 'run 42', 'queue payouts'.", callback=not_empty),
    ] = None,
    since: Annotated[
        str | None, typer.Option(help="Done since: 24h, 7d, or an instant with its zone.")
    ] = None,
    until: Annotated[str | None, typer.Option(help="Done before then; written as --since.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=1_000_000, help="At most so many.")] = 50,
    as_json: Json = False,
) -> None:
    """What operators did, the newest first: who, what, to what, how often, and why.

    \b
    Examples:
      engine audit list --since 24h
      engine audit list --actor sara --act retry
      engine audit list --subject "run 42" --json
    """
    from engine.documents.closest import suggestion
    from engine.operations.audit import entry_json
    from engine.operations.moments import moment
    from engine.store.act import ActName
    from engine.store.audit_entries import Acts

    app = the_app()
    if act is not None and act not in (acts := get_args(ActName)):
        raise UnknownAct(name=act, hint=suggestion(act, acts))
    now = app.run_counts.now() if since is not None or until is not None else None
    which = Acts(
        actor=actor,
        act=act,
        subject=subject,
        since=moment(since, now, option="--since") if since is not None and now else None,
        until=moment(until, now, option="--until") if until is not None and now else None,
    )
    found = app.audit.newest(which, limit=limit)
    total = app.audit.count(which)
    if as_json:
        print_json({"entries": [entry_json(entry) for entry in found], "total": total})
        return
    columns = ["id", "at", "actor", "act", "subject", "count", "reason", "facts"]
    rows = [_row(entry) for entry in found]
    print_table(rows, columns, empty="Nobody did anything like that.", spare=["facts"])
    if total > len(found):
        print(f"{len(found)} of {total} shown: --limit shows more.")


@cli.command()
def verify(
    heads: Annotated[
        list[Path] | None,
        typer.Option(
            help="Another folder of heads, of another machine. May be repeated.",
            exists=True,
            file_okay=False,
        ),
    ] = None,
    head: Annotated[
        list[str] | None,
        typer.Option(metavar="ID:MAC", help="A head as a log has it. May be repeated."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Is the audit what it was? Edited and removed entries, a chain made anew, a tail cut off.

    And users, roles and tokens that no act in it gave.

    The heads of this machine are in var/audit. What other machines did is checked by their heads,
    and a tail that was cut off together with its heads by those of a log. Exit 1 if anything was
    found.

    \b
    Examples:
      engine audit verify
      engine audit verify --heads /mnt/host2/var/audit --json
      engine audit verify --head 57:5d0c...
    """
    from engine.operations.audit import entry_json

    app = the_app()
    done = _verified(app, heads or [], dict(_head(text) for text in head or ()))
    if as_json:
        newest = entry_json(done.newest) if done.newest else None
        counts = {"entries": done.entries, "heads": done.heads}
        findings = [vars(finding) for finding in done.findings]
        print_json({"valid": not findings, **counts, "newest": newest, "findings": findings})
    else:
        _print(done)
    if done.findings:
        raise typer.Exit(1)


def _verified(app: "App", folders: list[Path], known: dict[int, str]) -> "Verified":
    from engine.audit.heads import HeadFiles
    from engine.audit.users import UsersByAudit, facts_of
    from engine.audit.verification import verify as verify_audit
    from engine.store.audit_key import AuditKeyLost

    try:
        key = app.audit.key(app.keys)
    except AuditKeyLost:
        key = None
    others = [HeadFiles(folder) for folder in folders]
    by_audit = UsersByAudit()
    # What is so before and after the entries are read, for somebody may act meanwhile.
    before = facts_of(app.users)
    entries = by_audit.passing(app.audit.in_order())
    done = verify_audit(entries, key, [app.audit_heads, *others], known)
    done.findings += by_audit.findings(before & facts_of(app.users))
    return done


def _head(text: str) -> tuple[int, str]:
    number, colon, mac = text.strip().partition(":")
    if not colon or not mac or not (number.isascii() and number.isdecimal()):
        raise WrongHead(text=text)
    return int(number), mac


def _row(entry: "AuditEntry") -> dict[str, object]:
    facts = {name: each for name, each in entry.facts.items() if name not in {"from", "by"}}
    return {**vars(entry), "facts": "; ".join(f"{name}: {_text(facts[name])}" for name in facts)}


def _text(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name} {each}" for name, each in value.items())
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _print(done: "Verified") -> None:
    if not done.findings:
        newest = done.newest
        last = f"; the newest one is {newest.id} of {local(newest.at)}" if newest else ""
        print(f"{done.entries:,} entries and {done.heads:,} heads agree{last}")
        return
    by_kind: dict[str, list[Finding]] = {}
    for finding in done.findings:
        by_kind.setdefault(finding.kind, []).append(finding)
    for kind, findings in by_kind.items():
        for finding in findings[:_MOST]:
            print(f"{kind.replace('_', ' ').upper()}  {finding.text}")
        if len(findings) > _MOST:
            print(f"{kind.replace('_', ' ').upper()}  and {len(findings) - _MOST:,} more of these")
    print(f"{done.entries:,} entries, {done.heads:,} heads, {len(done.findings):,} findings")
