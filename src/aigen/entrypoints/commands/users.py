"""`aigen users …`."""

import json
import secrets
import sys
from typing import TYPE_CHECKING, Any

import click

from aigen.adapters.http.client import ApiClient
from aigen.domain.model.errors import NotFound
from aigen.domain.model.pages import PageRequest
from aigen.domain.model.statistics import UserOverview
from aigen.domain.model.users import Role
from aigen.entrypoints.api.schemas.users import ResetLinkOut, UserOut, UserOverviewOut
from aigen.entrypoints.commands.installation import work_on
from aigen.entrypoints.settings import Settings

if TYPE_CHECKING:
    from aigen.entrypoints.library import Aigen

_ROLE = click.Choice([role.value for role in Role])


@click.group()
def users() -> None:
    """Add, list, change and remove accounts.

    Works on the data dir; where a server is running, through its API.

    \b
    Example:
      aigen users add ann@example.org --generate-password
    """


@users.command()
@click.argument("email")
@click.option("--role", type=_ROLE, default="user", show_default=True)
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input.")
@click.option("--generate-password", is_flag=True, help="Make a password and print it.")
@click.option("--json", "as_json", is_flag=True, help="Print the user as the API does.")
def add(
    email: str, role: str, *, password_stdin: bool, generate_password: bool, as_json: bool
) -> None:
    """Add an account.

    \b
    Example:
      aigen users add root@example.org --role admin
    """
    password = _password(from_stdin=password_stdin, generate=generate_password)

    async def directly(aigen: "Aigen") -> Any:
        return UserOut.of(await aigen.users.add(email, password, Role(role))).model_dump(
            mode="json"
        )

    body = {"email": email, "password": password, "role": role}
    user = work_on(
        Settings(),
        through_api=lambda api: api.ask("POST", "/users", body=body),
        directly=directly,
    )
    if as_json:
        shown = user | ({"password": password} if generate_password else {})
        click.echo(json.dumps(shown))
        return
    click.echo(f"added {user['email']} ({user['role']}) {user['id']}")
    if generate_password:
        click.echo(f"password: {password}")


@users.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print a list of users as the API does.")
def list_users(*, as_json: bool) -> None:
    """List all accounts, newest first.

    \b
    Example:
      aigen users list --json
    """
    found = work_on(
        Settings(), through_api=lambda api: list(api.pages("/users")), directly=_all_users
    )
    if as_json:
        click.echo(json.dumps(found, indent=2))
        return
    for user in found:
        click.echo(f"{user['id']}  {user['role']:<5}  {user['email']}")


@users.command("set-role")
@click.argument("email")
@click.argument("role", type=_ROLE)
def set_role(email: str, role: str) -> None:
    """Promote or demote an account; effective at once.

    \b
    Example:
      aigen users set-role ann@example.org admin
    """

    async def directly(aigen: "Aigen") -> None:
        user = await aigen.users.find(email)
        await aigen.users.set_role(user.id, Role(role))

    def through_api(api: ApiClient) -> None:
        api.ask("PUT", f"/users/{_id_of(api, email)}/role", body={"role": role})

    work_on(Settings(), through_api=through_api, directly=directly)
    click.echo(f"{email} is now {role}")


@users.command()
@click.argument("email")
@click.option("--yes", is_flag=True, help="Really remove the account with all that it made.")
def remove(email: str, *, yes: bool) -> None:
    """Remove an account with its sessions, generations and files.

    \b
    Example:
      aigen users remove ann@example.org --yes
    """
    if not yes:
        raise click.UsageError("this removes everything that the user made: confirm with --yes")

    async def directly(aigen: "Aigen") -> None:
        await aigen.users.remove((await aigen.users.find(email)).id)

    def through_api(api: ApiClient) -> None:
        api.ask("DELETE", f"/users/{_id_of(api, email)}")

    work_on(Settings(), through_api=through_api, directly=directly)
    click.echo(f"removed {email}")


@users.command("reset-link")
@click.argument("email")
def reset_link(email: str) -> None:
    """Print a link that sets a new password once, within the hour.

    \b
    Example:
      aigen users reset-link ann@example.org
    """

    async def directly(aigen: "Aigen") -> str:
        made = await aigen.users.make_reset_link((await aigen.users.find(email)).id)
        return f"{aigen.settings.web_base}/reset/{made.secret}"

    def through_api(api: ApiClient) -> str:
        made = api.ask("POST", f"/users/{_id_of(api, email)}/reset-link")
        return ResetLinkOut(**made).url

    click.echo(work_on(Settings(), through_api=through_api, directly=directly))


def _password(*, from_stdin: bool, generate: bool) -> str:
    if from_stdin and generate:
        raise click.UsageError("choose one of --password-stdin and --generate-password")
    if generate:
        return secrets.token_urlsafe(15)
    if from_stdin:
        return sys.stdin.readline().rstrip("\r\n")
    typed: str = click.prompt("Password", hide_input=True, confirmation_prompt=True)
    return typed


async def _all_users(aigen: "Aigen") -> list[Any]:
    found: list[UserOverview] = []
    page = await aigen.users.list(None, PageRequest(limit=100))
    found += page.items
    while page.next_before is not None:
        page = await aigen.users.list(None, PageRequest(limit=100, before=page.next_before))
        found += page.items
    return [UserOverviewOut.of_overview(user).model_dump(mode="json") for user in found]


def _id_of(api: ApiClient, email: str) -> str:
    """The id of the account with this address, in any spelling of upper and lower case."""
    wanted = email.strip().casefold()
    for user in api.pages("/users"):
        if user["email"].casefold() == wanted:
            return str(user["id"])
    raise NotFound(f"There is no account for {email}.")
