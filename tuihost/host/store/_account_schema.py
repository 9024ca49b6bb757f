"""The tables of the account store, and how an older store becomes today's.

A migration that has been in a release is never changed: what comes next is another one.
"""

from __future__ import annotations

APPLICATION_ID = 0x7475_6831  # "tuh1": which SQLite file is an account store

MIGRATIONS: tuple[tuple[str, ...], ...] = (
    (
        """create table account (
            folded text primary key,
            name text not null unique,
            roles text not null,
            "groups" text not null,
            disabled integer not null,
            created real not null,
            password_hash text,
            password_expired integer not null,
            terms text not null,
            chains text not null,
            totp blob,
            totp_counter integer not null default -1
        ) strict, without rowid""",
        """create table key (
            account text not null references account (name) on delete cascade,
            fingerprint text not null,
            name text not null,
            line text not null,
            added real not null,
            last_used real,
            primary key (account, fingerprint)
        ) strict, without rowid""",
        """create table recovery (
            account text not null references account (name) on delete cascade,
            hash blob not null,
            primary key (account, hash)
        ) strict, without rowid""",
        """create table invite (
            hash blob primary key,
            roles text not null,
            note text not null,
            created real not null,
            expires real,
            invited_by text not null
        ) strict, without rowid""",
        """create table failure (
            key text not null,
            at real not null,
            expires real not null
        ) strict""",
        "create index failure_key on failure (key, at)",
        "create index failure_expires on failure (expires)",
        """create table login (
            id integer primary key,
            account text not null references account (name) on delete cascade,
            at real not null,
            address text not null,
            factors text not null,
            fingerprint text,
            success integer not null
        ) strict""",
        "create index login_account on login (account, id)",
    ),
    (
        # What names look like; `skeleton` is a function of ours.
        "alter table account add column skeleton text not null default ''",
        "update account set skeleton = skeleton(name)",
        "create index account_skeleton on account (skeleton)",
    ),
    (
        # In a skeleton `i` is one with `l` now.
        "update account set skeleton = skeleton(name)",
    ),
)
