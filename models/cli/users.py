"""``tidui users``: people who log in to the pages."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import click

from models.cli.database import database_for
from models.cli.operator import operator
from models.cli.options import json_option
from models.registry import users as store
from models.settings import read_settings

password_option = click.password_option(help="密码；不写就提示输入。The password; asked for if not given.")


@click.group()
def users() -> None:
    """登录页面的用户。Users of the pages."""


@users.command()
@click.argument("login", metavar="登录名")
@click.option("--role", required=True, type=click.Choice(list(store.ROLES)), help="角色。Role.")
@click.option("--district", help="只看这个区：六位代码或区名。Limit to a district: code or name.")
@password_option
def create(login: str, role: str, district: str | None, password: str) -> None:
    """新建用户。Make a user."""
    with database_for(read_settings()) as database, database.write() as connection:
        store.create(
            connection,
            login=login,
            password=password,
            role=role,
            district=district,
            actor=operator(),
            now=datetime.now(UTC),
        )
    click.echo(f"已建用户 {login}。 Made.")


@users.command("list")
@json_option
def list_(as_json: bool) -> None:
    """列出用户。List users."""
    now = datetime.now(UTC)
    with database_for(read_settings()) as database, database.read() as connection:
        found = [(user, user.state(now)) for user in store.all_users(connection)]
    if as_json:
        rows = [
            {"login": user.login, "role": user.role, "district": user.district, "state": state}
            for user, state in found
        ]
        click.echo(json.dumps(rows, ensure_ascii=False))
        return
    for user, state in found:
        click.echo(f"{user.login}  {user.role}  {user.district or '全市'}  {STATES[state]}")


@users.command()
@click.argument("login", metavar="登录名")
def disable(login: str) -> None:
    """停用用户，不能再登录。Stop a user from logging in."""
    with database_for(read_settings()) as database, database.write() as connection:
        store.disable(connection, login, actor=operator(), now=datetime.now(UTC))
    click.echo(f"已停用 {login}。 Disabled.")


@users.command()
@click.argument("login", metavar="登录名")
@password_option
def password(login: str, password: str) -> None:
    """重设密码，同时解锁。Set a new password, which also unlocks."""
    with database_for(read_settings()) as database, database.write() as connection:
        store.set_password(connection, login, password, actor=operator(), now=datetime.now(UTC))
    click.echo(f"已重设 {login} 的密码。 Set.")


STATES = {"active": "可用 active", "disabled": "已停用 disabled", "locked": "已锁住 locked"}
