"""An account as a row of the store, and back."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable
from typing import Any

from tuihost.accounts import AccountRecord
from tuihost.core.login.account_names import folded, name_problem, skeleton

SELECT_ACCOUNT = """select name, roles, "groups", disabled, created, password_hash,
    password_expired, totp is not null, (select count(*) from recovery where account = name),
    terms, chains from account"""
"""What `account_of` reads; a condition may follow."""

NOBODY = ("", "[]", "[]", 0, 0.0, None, 0, 0, 0, "", "[]")
"""A row of it that is read where there is no account, so that this takes as long."""

SELECT_LIKE = f"{SELECT_ACCOUNT} where folded = ? or skeleton = ?"
"""The accounts that have a name or look like it, by its `forms`."""

SELECT_LABEL = """select 1 from account
    where replace(replace(replace(skeleton, '.', '-'), '_', '-'), '@', '-') = ? limit 1"""
"""Whether an account looks like a label of an address. It looks at all of them, and is asked only
when somebody wants an address by name."""


def key_of(text: str) -> str:
    """`text` as SQLite can take it; bytes that were not UTF-8 are in no name of an account."""
    return text.encode("utf-8", "replace").decode("utf-8")


def forms(name: str) -> tuple[str, str]:
    """The two forms of a name by which it is the same as another, and looks like it."""
    return key_of(folded(name)), key_of(skeleton(name))


def listed(names: Iterable[str]) -> str:
    """A set of names as the store keeps it."""
    return json.dumps(sorted(names))


def insert_account(connection: sqlite3.Connection, record: AccountRecord) -> bool:
    """False if the name is taken in any letter case. ValueError if nobody can have it."""
    problem = name_problem(record.name)
    if problem is not None:
        raise ValueError(problem)
    found = connection.execute(
        'insert into account (folded, skeleton, name, roles, "groups", disabled, created,'
        " password_hash, password_expired, terms, chains) values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
        " on conflict do nothing",
        (
            folded(record.name),
            skeleton(record.name),
            record.name,
            listed(record.roles),
            listed(record.groups),
            int(record.disabled),
            record.created,
            record.password_hash,
            int(record.password_expired),
            record.terms,
            json.dumps(record.chains),
        ),
    )
    return found.rowcount == 1


def account_of(row: Any) -> AccountRecord:
    """The account in a row of `SELECT_ACCOUNT`."""
    name, roles, groups, disabled, created, hashed, expired, totp, left, terms, chains = row
    return AccountRecord(
        name=name,
        roles=frozenset(json.loads(roles)),
        groups=frozenset(json.loads(groups)),
        disabled=bool(disabled),
        created=created,
        password_hash=hashed,
        password_expired=bool(expired),
        totp=bool(totp),
        recovery_left=left,
        terms=terms,
        chains=tuple(tuple(chain) for chain in json.loads(chains)),
    )
