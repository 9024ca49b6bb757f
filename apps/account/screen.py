"""The account on a screen: one list, and what Enter does on each row."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from prompt_toolkit.application import Application
from rich.console import Group
from rich.padding import Padding
from rich.text import Text

from tuihost import AccountChange, KeyRecord, NotPossible, OwnAccount, Session, TuihostError
from tuihost.widgets import HSplit, Keymap, ListView, RichView, Screen, choose_theme

from . import rows as named
from .history import entries, table
from .rows import Row, rows
from .second_factor import SecondFactor
from .words import OUT_OF_REACH, about_keys, check_may_add, in_columns

Result = TypeVar("Result")
NARROW = 44
"""With fewer columns a list shows labels only."""
WORDY = frozenset({named.ADD, named.ADD_THIS, named.HISTORY})
"""Rows whose label says it all."""
BRIEF = 60
"""Characters of a sentence that fits a toast; a longer one has a dialog of its own."""
RENAME, REMOVE = "Rename", "Remove"


class AccountScreen:
    """One person's own account. The chosen row is remembered for their visit."""

    def __init__(self, session: Session, own: OwnAccount) -> None:
        self.session = session
        self.own = own
        self.title = "Account"
        self.view: ListView[Row] = ListView(
            session,
            [],
            label=self._label,
            description=lambda row: row.about,
            note=lambda row: row.note,
            section=lambda row: row.section,
            key=lambda row: row.name,
            on_open=self.open,
            filterable=False,
            empty=OUT_OF_REACH,
            place="row",
        )
        self.body = HSplit([self.view], key_bindings=self._keys().bindings)
        self.screen = Screen(session, lambda: self.title, self.body, min_size=(24, 6))
        self.second = SecondFactor(session, own, self.screen, self._show_codes)
        self.reload()

    def application(self) -> Application[Any]:
        """A fresh Application."""
        return self.screen.application(focus=self.view.window)

    def _label(self, row: Row) -> str:
        """Where a list has no room for descriptions, the label holds what matters of it."""
        narrow = self.session.terminal.size.columns < NARROW
        return f"{row.label}: {row.about}" if narrow and row.name not in WORDY else row.label

    def reload(self) -> None:
        """Reads everything anew; the row stays chosen."""
        try:
            self.view.items = rows(self.session, self.own)
        except NotPossible as error:
            self.view.empty, self.view.items = str(error), []
        except TuihostError:
            self.view.empty, self.view.items = OUT_OF_REACH, []

    # ------------------------------------------------------------------ what Enter does

    async def open(self, row: Row) -> None:
        """Goes into a row."""
        doing: dict[str, Callable[[], Awaitable[None]]] = {
            named.PASSWORD: self.change_password,
            named.SECOND: self.second.open,
            named.CODES: self.second.new_codes,
            named.ADD: self.add_key,
            named.ADD_THIS: self.add_key_in_use,
            named.CLOSE: self.close_others,
            named.HISTORY: self.show_history,
            named.THEME: self.choose_theme,
        }
        if row.name in doing:
            await self._telling(doing[row.name])
        elif row.fingerprint is not None:
            about = {RENAME: "what you call it", REMOVE: "it will let nobody in any more"}
            chosen = await self.screen.choose(
                row.fingerprint, [RENAME, REMOVE], description=about.__getitem__
            )
            if chosen == RENAME:
                await self._telling(lambda: self.rename(row))
            elif chosen == REMOVE:
                await self._telling(lambda: self.remove(row))
        elif row.name.startswith(named.LOGIN):
            self.screen.toast(self._about_login(row))

    def _about_login(self, row: Row) -> str:
        if row.note:
            return "This is the login that you use now"
        if self.own.may_change():
            return "“Close the others” closes it"
        return "This login may not close it"

    async def _telling(self, do: Callable[[], Awaitable[None]]) -> None:
        """Does it, says why where it cannot be done, and shows how things are then."""
        try:
            await do()
        except NotPossible as error:
            await self._refused(str(error))
        except TuihostError:
            self.screen.toast(OUT_OF_REACH, "error", 6.0)
        self.reload()

    async def _refused(self, sentence: str) -> None:
        if len(sentence) > min(BRIEF, self.session.terminal.size.columns - 6):
            await self.screen.message("Nothing was changed", sentence)
        else:
            self.screen.toast(sentence, "error", 6.0)

    # ------------------------------------------------------------------ keys

    async def add_key(self) -> None:
        check_may_add(self.session)
        if not await self.second.proved(AccountChange.ADD_KEY):
            return
        about, hint = about_keys(self.own.record().chains), "ssh-ed25519 AAAA… name"
        key = await self._ask("Public key", self.own.add_key, placeholder=hint, detail=about)
        if key is not None:
            self._added(key)

    async def _ask(
        self,
        label: str,
        do: Callable[[str], Result],
        *,
        default: str = "",
        placeholder: str = "",
        detail: str = "",
    ) -> Result | None:
        """Asks for a line and does something with it. If that fails, the question stays, with the
        line in it, and says why. None if nothing was done."""
        done: list[Result] = []

        def attempt(line: str) -> str | None:
            try:
                if line:
                    done.append(do(line))
            except NotPossible as error:
                return str(error)
            except TuihostError:
                return OUT_OF_REACH
            return None

        await self.screen.prompt(
            label, default=default, placeholder=placeholder, detail=detail, validate=attempt
        )
        return done[0] if done else None

    async def add_key_in_use(self) -> None:
        check_may_add(self.session)
        if not await self.second.proved(AccountChange.ADD_KEY):
            return
        about = about_keys(self.own.record().chains)
        add = self.own.add_key_in_use
        key = await self._ask("Name of the key", add, placeholder="laptop", detail=about)
        if key is not None:
            self._added(key)

    def _added(self, key: KeyRecord) -> None:
        self.reload()
        self.view.select(named.KEY + key.fingerprint)
        self.screen.toast(f"{key.name} has been added", "success")

    async def rename(self, row: Row) -> None:
        self.own.proof_for(AccountChange.RENAME_KEY)
        fingerprint = row.fingerprint
        assert fingerprint is not None, "only keys are renamed"

        def renamed(name: str) -> None:
            self.own.rename_key(fingerprint, name)

        await self._ask("Name of the key", renamed, default=row.label)

    async def remove(self, row: Row) -> None:
        assert row.fingerprint is not None, "only keys are removed"
        self.own.proof_for(AccountChange.REMOVE_KEY)
        used = " You logged in with it." if row.fingerprint == self.own.key_in_use() else ""
        detail = f"{row.fingerprint} will let nobody in any more.{used}"
        if await self.screen.confirm(
            f"Remove {row.label}?", detail=detail, yes="Remove"
        ) and await self.second.proved(AccountChange.REMOVE_KEY):
            self.own.remove_key(row.fingerprint)
            self.screen.toast(f"{row.label} has been removed")

    # ------------------------------------------------------------------ password

    async def change_password(self) -> None:
        old = await self.second.password(AccountChange.PASSWORD, "Your current password")
        if old is None:
            return
        new = await self.screen.prompt(
            "New password",
            detail=self.own.password_rule(),
            hidden=True,
            validate=lambda text: self.own.password_problem(text) if text else None,
        )
        if not new:
            return

        def same(again: str) -> str | None:
            return None if again == new else "The two passwords differ."

        if await self.screen.prompt("New password again", hidden=True, validate=same) is not None:
            await asyncio.to_thread(self.own.set_password, old, new)
            self.screen.toast("Your password has been changed", "success")

    # ------------------------------------------------------------------ recovery codes

    def _show_codes(self, codes: tuple[str, ...]) -> None:
        """A page of its own: they are shown this once."""
        text = "\n".join(in_columns(codes, 2))
        words = "Each lets you in once, without your app. They are not shown again."
        page = Group(Text(words), Text(), Text(text, "accent"))
        keys = Keymap(group="Recovery codes")

        @keys.add("c", label="copy", rank=30)
        def _copy(event: Any) -> None:
            if self.session.copy("\n".join(codes) + "\n"):
                self.screen.toast("Asked your terminal to copy them")
            else:
                self.screen.toast("Your terminal cannot be asked to copy them", "warning")

        self._page("Recovery codes", Padding(page, (0, 3)), keys)

    # ------------------------------------------------------------------ the rest

    async def close_others(self) -> None:
        if await self.screen.confirm(
            "Close your other logins?", detail="Everything that runs there ends."
        ) and await self.second.proved(AccountChange.CLOSE_LOGINS):
            closed = self.own.close_others()
            self.screen.toast(f"{closed} closed" if closed else "There are no others now")

    async def show_history(self) -> None:
        self._show("Login history", shown := table(self.session, entries(self.own)), shown.window)

    async def choose_theme(self) -> None:
        await choose_theme(self.screen)

    # ------------------------------------------------------------------ pages and keys

    def _page(self, title: str, content: Any, keys: Keymap) -> None:
        view = RichView(self.session, content)

        @keys.add("enter", label="done", rank=5)
        def _done(event: Any) -> None:
            self._back()

        self._show(title, HSplit([view], key_bindings=keys.bindings), view.window)

    def _show(self, title: str, body: Any, focus: Any) -> None:
        keys = Keymap(group=title)

        @keys.add("escape", label="back", rank=40)
        def _escape(event: Any) -> None:
            self._back()

        self.title = title
        self.screen.show(HSplit([body], key_bindings=keys.bindings), focus=focus)

    def _back(self) -> None:
        self.title = "Account"
        self.reload()
        self.screen.show(self.body, focus=self.view.window)

    def _keys(self) -> Keymap:
        keys = Keymap(group="Account")

        @keys.add("a", label="add a key", rank=30)
        async def _add(event: Any) -> None:
            await self._telling(self.add_key)

        @keys.add("d", "delete", label="remove", rank=35, when=self._on_key)
        async def _remove(event: Any) -> None:
            row = self.view.selected
            if row is not None:
                await self._telling(lambda: self.remove(row))

        @keys.add("f5", label="reload", show=False)
        def _look(event: Any) -> None:
            self.reload()

        return keys

    def _on_key(self) -> bool:
        row = self.view.selected
        return row is not None and row.fingerprint is not None
