"""Your own account: keys, password, second factor, and where you are logged in.

[app.account]
how = "Ask Grace in room 12."   # tells guests how to get an account here
"""

from __future__ import annotations

from collections.abc import Callable
from json import dumps
from typing import Annotated, Any

from prompt_toolkit.application import Application
from rich.table import Table

from tuihost import (
    Accepts,
    AccountChange,
    App,
    NotOpened,
    NotPossible,
    OwnAccount,
    Session,
    TuihostError,
    clean,
    command,
    date_time,
    iso_time,
)
from tuihost.widgets import RichView, Screen

from .agent import offered, take_from
from .guest import NO_ACCOUNT, keyless, page, sentences
from .history import Entry, entries
from .lines import converse, facts
from .proving import proved
from .screen import AccountScreen
from .words import NOT_DONE, OUT_OF_REACH, about_keys, factors_in_words, kind_of


class Account(App):
    """Your keys, password, second factor and logins."""

    name = "account"
    title = "Account"
    group = "Host"
    icon = "◉"
    order = 70
    accepts = Accepts(agent=True)
    known_options = {"how": str}
    default_command = "show"

    @property
    def how(self) -> str:
        """What the operator says about getting an account."""
        return str(self.options.get("how", ""))

    def build(self, session: Session) -> Application[Any]:
        own = session.host.own_account(session.account)
        if own is None:
            view = RichView(session, page(session, self.how))
            return Screen(session, "Account", view).application(focus=view.window)
        return AccountScreen(session, own).application()

    async def talk(self, session: Session) -> int:
        own = session.host.own_account(session.account)
        if own is not None:
            return await converse(session, own)
        for sentence in sentences(session, self.how):
            await session.say(sentence)
        return 0

    # ------------------------------------------------------------------ from a shell

    @command
    def show(self, session: Session, *, json: bool = False) -> int:
        """Show your account: ways to log in, keys, where you are logged in now."""

        def work(own: OwnAccount) -> None:
            if json:
                session.print(dumps(_account(session, own), indent=2))
                return
            for label, text in facts(session, own):
                session.print(f"{label:<16}{clean(text)}")

        return _with_account(session, work)

    @command
    def whoami(self, session: Session) -> None:
        """Show the name that you have here."""
        guest = " (a guest)" if session.account.guest else ""
        session.print(f"{clean(session.user)}{guest}")

    @command
    def keys(self, session: Session, *, json: bool = False) -> int:
        """List your public keys, oldest first."""

        def work(own: OwnAccount) -> None:
            if json:
                session.print(dumps(_keys(own), indent=2))
                return
            kept, in_use = own.keys(), own.key_in_use()
            for key in kept:
                used = " (in use)" if key.fingerprint == in_use else ""
                session.print(f"{key.fingerprint}  {kind_of(key.line)}  {clean(key.name)}{used}")

        return _with_account(session, work)

    @command
    async def agent(
        self,
        session: Session,
        *,
        add: Annotated[str, "Add this key, named by its fingerprint or its comment."] = "",
        json: bool = False,
    ) -> int:
        """Show the keys in your agent (ssh -A), or --add one of them to your account.

        Name it by its fingerprint or its comment. It has to sign something first."""
        from_client = session.agent
        if from_client is None:
            target = session.ssh_target
            session.error(f"You brought no agent. Connect with: ssh -A {target} account agent")
            return 1
        if add and not await _may_add_key(session):
            return 1

        def work(own: OwnAccount) -> None:
            if add:
                session.print(f"Added {take_from(from_client, own, add)}")
                _say_what_keys_do(session, own)
                return
            found = offered(from_client, own)
            if json:
                session.print(dumps([key.data() for key in found], indent=2))
                return
            for key in found:
                session.print(key.line())

        return _with_account(session, work)

    @command(name="add-key")
    async def add_key(self, session: Session) -> int:
        """Add the public keys on standard input to your account, one on each line.

        What `ssh-copy-id` sends does this too."""
        if session.account.guest:
            session.error(keyless(session, self.how))
            return 1
        if not await _may_add_key(session):
            return 1

        def work(own: OwnAccount) -> None:
            kept = own.keys()
            mine = {word for key in kept for word in key.line.split()}
            given = False
            for line in map(str.strip, session.lines()):
                if not line or line[0] == "#":
                    continue
                given = True
                if any(word.startswith("AAAA") and word in mine for word in line.split()):
                    continue  # a key that is there already is as it should be
                key = own.add_key(line)
                session.print(f"Added {key.fingerprint} {clean(key.name)}")
            if not given:
                raise NotPossible("No key came in. Try: account add-key < ~/.ssh/id.pub")
            _say_what_keys_do(session, own)

        return _with_account(session, work)

    @command
    def history(
        self,
        session: Session,
        *,
        last: Annotated[int, "How many of them."] = 20,
        json: bool = False,
    ) -> int:
        """List your latest logins, failed ones included, latest first."""

        def work(own: OwnAccount) -> None:
            found = entries(own, max(0, last))
            if json:
                session.print(dumps([_login(entry) for entry in found], indent=2))
                return
            table = Table(box=None, pad_edge=False, header_style="table.header")
            for title in ("When (UTC)", "From", "With", ""):
                table.add_column(title)
            for entry in found:
                with_what = factors_in_words(entry.factors)
                table.add_row(
                    date_time(entry.at), clean(entry.address), clean(with_what), entry.outcome
                )
            session.print(table)

        return _with_account(session, work)


async def _may_add_key(session: Session) -> bool:
    """Whether the person has proved recently enough that they may; they are asked where they can
    be. For guests `_with_account` has the answer."""

    async def ask(question: str) -> str:
        return await session.ask(f"{question}: ", hidden=True)

    own = session.host.own_account(session.account)
    try:
        if own is None or await proved(own, AccountChange.ADD_KEY, ask):
            return True
        session.error(NOT_DONE)
    except NotPossible as error:
        session.error(str(error))
    return False


def _say_what_keys_do(session: Session, own: OwnAccount) -> None:
    if about := about_keys(own.record().chains):
        session.error(about)


def _with_account(session: Session, work: Callable[[OwnAccount], None]) -> int:
    """Does `work` with the person's account; the exit status."""
    own = session.host.own_account(session.account)
    if own is None:
        session.error(NO_ACCOUNT)
        return 1
    try:
        work(own)
    except (NotPossible, NotOpened) as error:
        session.error(str(error))
        return 1
    except TuihostError:
        if session.ended:
            raise
        session.error(OUT_OF_REACH)
        return 1
    return 0


def _account(session: Session, own: OwnAccount) -> dict[str, Any]:
    record = own.record()
    return {
        "name": record.name,
        "roles": sorted(record.roles),
        "created": iso_time(record.created),
        "password": record.has_password,
        "second_factor": record.totp,
        "recovery_codes_left": record.recovery_left,
        "keys": _keys(own),
        "logins": [
            {
                "since": iso_time(login.since),
                "address": login.peer.address,
                "factors": list(login.factors),
                "here": login.here,
            }
            for login in own.logins()
        ],
    }


def _keys(own: OwnAccount) -> list[dict[str, Any]]:
    kept, used = own.keys(), own.key_in_use()
    return [
        {
            "name": key.name,
            "kind": kind_of(key.line),
            "fingerprint": key.fingerprint,
            "added": iso_time(key.added),
            "last_used": iso_time(key.last_used),
            "in_use": key.fingerprint == used,
        }
        for key in kept
    ]


def _login(entry: Entry) -> dict[str, Any]:
    return {
        "at": iso_time(entry.at),
        "address": entry.address,
        "factors": list(entry.factors),
        "fingerprint": entry.fingerprint,
        "success": entry.success,
    }


app = Account()
