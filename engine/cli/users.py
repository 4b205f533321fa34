"""`engine users`: who may do what, once there are any."""

import sys
from datetime import timedelta
from typing import Annotated

import typer

from engine.cli.acting import NEEDS, acting
from engine.cli.consent import Yes, require_consent
from engine.cli.context import the_app
from engine.cli.output import Json, local, print_json, print_table
from engine.errors import Invalid, UnknownId
from engine.store.roles import Role

cli = typer.Typer(help="Who may do what, once there are users.", no_args_is_help=True)

_NEEDED = "admin"
_SCOPES = sorted({"read", *(words.partition(" ")[0] for words in NEEDS)})

Name = Annotated[str, typer.Argument(metavar="USER", help="A user's name.")]
Reason = Annotated[str | None, typer.Option(help="Why; it is kept in the audit.")]


RoleOption = Annotated[
    Role,
    typer.Option(
        help="viewer looks; operator works with runs and queues; approver decides about failed "
        "runs; admin manages users and keys."
    ),
]


class UnknownScope(Invalid):
    """No command has this noun."""

    message = "--scope: {name!r} is no scope; known: {known}"


@cli.command()
def add(name: Name, role: RoleOption, as_json: Json = False) -> None:
    """Add a user, or take up one that was disabled. From the first one on everybody needs a token.

    The first one must be an admin.

    \b
    Examples:
      engine users add sara --role admin
      engine users add nightly-report --role viewer
    """
    from engine.operations.users import add_user, require_user, user_json

    app = the_app()
    add_user(app.users, name, role, actor=acting(app, _NEEDED))
    if as_json:
        print_json(user_json(require_user(app.users, name), []))
        return
    print(f"user {name} is {role}; `engine users token {name}` gives them a token")


@cli.command("list")
def list_(
    everybody: Annotated[
        bool, typer.Option("--all", help="Those that were disabled as well.")
    ] = False,
    as_json: Json = False,
) -> None:
    """The users, what they may, and the ids of the tokens that are valid; never the tokens.

    \b
    Examples:
      engine users list
      engine users list --all --json
    """
    from engine.operations.users import user_json

    app = the_app()
    tokens = app.users.tokens()
    found = [user for user in app.users.all() if everybody or user.disabled_at is None]
    if as_json:
        print_json({"users": [user_json(user, tokens) for user in found]})
        return
    rows = []
    for user in found:
        theirs = [token for token in tokens if token.user == user.name]
        rows.append(
            {
                "name": user.name,
                "role": user.role,
                "added": user.created_at,
                "by": user.created_by,
                "disabled": user.disabled_at,
                "tokens": ", ".join(str(token.id) for token in theirs),
                "scopes": ", ".join(sorted({each for token in theirs for each in token.scopes})),
                "expires": max((token.expires_at for token in theirs), default=None),
                "acted": max((token.used_at for token in theirs if token.used_at), default=None),
            }
        )
    columns = ["name", "role", "added", "by", "disabled", "tokens", "scopes", "expires", "acted"]
    hidden = {"disabled"} if not everybody else set()
    print_table(
        rows,
        [each for each in columns if each not in hidden],
        empty="No users yet: whoever can log in here may do everything.",
    )


@cli.command()
def role(name: Name, role: RoleOption, as_json: Json = False) -> None:
    """Let a user do more, or less.

    \b
    Examples:
      engine users role omar --role approver
    """
    from engine.operations.users import change_role, require_user, user_json

    app = the_app()
    before = change_role(app.users, name, role, actor=acting(app, _NEEDED))
    if as_json:
        print_json(user_json(require_user(app.users, name), app.users.tokens()))
        return
    print(f"user {name} is {role}; was {before.role}")


@cli.command()
def disable(
    name: Name,
    yes: Yes = False,
    reason: Reason = None,
    as_json: Json = False,
) -> None:
    """Accept nothing from a user any more: all their tokens end. The history keeps their name.

    \b
    Examples:
      engine users disable omar --reason "left the company" --yes
    """
    from engine.operations.users import disable_user, require_user

    app = the_app()
    actor = acting(app, _NEEDED)
    require_user(app.users, name)
    require_consent(f"user {name} would be disabled, and their tokens revoked", yes=yes)
    disable_user(app.users, name, actor=actor, reason=reason)
    if as_json:
        print_json({"name": name, "disabled": True})
        return
    print(f"user {name} is disabled")


@cli.command()
def token(
    name: Name,
    days: Annotated[int, typer.Option(min=1, max=3_650, help="Valid for so many days.")] = 90,
    scope: Annotated[
        list[str] | None,
        typer.Option(
            help=f"Good for the commands of this noun only, of {', '.join(_SCOPES)}; `read` is all "
            "that only looks. May be repeated; without it, for all that the user may."
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Give a user a token, which is shown this once: on stdout, with nothing else.

    \b
    Examples:
      export ENGINE_TOKEN=$(engine users token sara)
      engine users token nightly-report --scope read --days 365
    """
    from engine.operations.instants import rfc3339
    from engine.operations.users import give_token

    for each in scope or ():
        if each not in _SCOPES:
            raise UnknownScope(name=each, known=", ".join(_SCOPES))
    app = the_app()
    text, made = give_token(
        app.users, name, scopes=scope or [], lasts=timedelta(days=days), actor=acting(app, _NEEDED)
    )
    if as_json:
        until = rfc3339(made.expires_at)
        facts = {"id": made.id, "user": name, "scopes": list(made.scopes), "expires_at": until}
        print_json({"token": text, **facts})
        return
    print(text)
    sys.stderr.write(
        f"token {made.id} of {name}, valid until {local(made.expires_at)}; it is not shown again\n"
    )


@cli.command()
def revoke(
    id_: Annotated[str, typer.Argument(metavar="TOKEN", help="The id of a token.")],
    reason: Reason = None,
    as_json: Json = False,
) -> None:
    """End one token, for instance one that somebody else may have seen.

    \b
    Examples:
      engine users revoke 3 --reason "was in a screenshot"
    """
    app = the_app()
    number = int(id_) if id_.isascii() and id_.isdecimal() and len(id_) < 19 else -1
    revoked = app.users.revoke(number, actor=str(acting(app, _NEEDED)), reason=reason)
    if revoked is None:
        raise UnknownId(noun="valid token", id=id_)
    if as_json:
        print_json({"id": revoked.id, "user": revoked.user, "revoked": True})
        return
    print(f"token {revoked.id} of {revoked.user} is revoked")
