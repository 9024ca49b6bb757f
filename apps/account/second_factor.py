"""The second factor on a screen: the secret with its picture, a code to check, recovery codes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from itertools import groupby
from typing import Any

from prompt_toolkit.buffer import Buffer
from prompt_toolkit.filters import Condition
from prompt_toolkit.layout.containers import ConditionalContainer, Window
from prompt_toolkit.layout.controls import BufferControl, FormattedTextControl
from prompt_toolkit.layout.dimension import Dimension

from tuihost import AccountChange, NewSecond, NotPossible, OwnAccount, Session
from tuihost.widgets import (
    Dialog,
    Fragments,
    HSplit,
    Keymap,
    Screen,
    TextLimit,
    VSplit,
    glyph,
    wrap,
)

from .proving import password_for, proved

TURN_OFF, SET_UP_AGAIN = "Turn it off", "Set it up again"
PICTURED = (72, 23)
"""Columns and rows from which there is room for the picture beside the words."""
BESIDE, ALONE = 76, 56
"""Columns of the dialog, with the picture and without."""
GAP = 3
# Black on white whatever the theme: a camera reads this, and wants it as it is on paper. The
# picture's characters are its light parts; a full one is light all over, its ground too, since
# not every font fills its cell.
MIXED, LIGHT = "fg:#ffffff bg:#000000", "fg:#ffffff bg:#ffffff"


class SetUp:
    """Asks for the first code of a secret. `dialog` answers with what was typed; None for Esc."""

    def __init__(self, session: Session, second: NewSecond, problem: str = "") -> None:
        self.session = session
        self.second = second
        self.picture: tuple[str, ...] = second.picture
        self.problem = problem
        keys = Keymap(group="Second factor")
        self.code = Buffer(multiline=False, on_text_changed=lambda _: self._forget())
        TextLimit(self.code, self._too_long, limit=100)
        line = Window(BufferControl(self.code), height=1, style="class:input")
        words = Window(
            FormattedTextControl(self._words),
            height=lambda: Dimension.exact(len(self._lines())),
            dont_extend_height=True,
        )
        below = Window(FormattedTextControl(self._below), height=2, dont_extend_height=True)
        beside = VSplit([self._drawn(), Window(width=GAP)])
        body = VSplit(
            [
                ConditionalContainer(beside, filter=Condition(self._is_pictured)),
                HSplit([words, line, below]),
            ]
        )
        self.dialog: Dialog[str] = Dialog(
            session,
            "Set up your second factor",
            body,
            focus=line,
            width=lambda: BESIDE if self._is_pictured() else ALONE,
            keys=keys,
            whole=True,
        )

        @keys.add("enter", label="check", rank=20)
        def _check(event: Any) -> None:
            if self.code.text.strip():
                self.dialog.close(self.code.text)

        @keys.add("c-y", label="copy the secret", rank=40)
        def _copy(event: Any) -> None:
            if session.copy(second.text.replace(" ", "")):
                self.problem = "Asked your terminal to copy it."

    def _is_pictured(self) -> bool:
        size = self.session.terminal.size
        roomy = size.columns >= PICTURED[0] and size.rows >= PICTURED[1]
        return roomy and self.session.terminal.unicode and bool(self.picture)

    def _drawn(self) -> Window:
        wide = max((len(line) for line in self.picture), default=0)
        fragments: Fragments = []
        for line in self.picture:
            # The last row may be half a one, with nothing of the picture under it.
            light = "█▀" if set(line) == {"▀"} else "█"
            for full, cells in groupby(line.ljust(wide), light.__contains__):
                fragments.append((LIGHT if full else MIXED, "".join(cells)))
            fragments.append(("", "\n"))
        control = FormattedTextControl(fragments)
        return Window(control, width=wide, height=len(self.picture), dont_extend_height=True)

    def _lines(self) -> list[str]:
        width = self.dialog.panel.inner_width
        how = "Add this secret to an authenticator app:"
        if self._is_pictured():
            width -= len(self.picture[0]) + GAP
            how = "Scan this with an authenticator app, or type the secret:"
        check = "Then type the code it shows:"
        air = [] if self.session.terminal.size.rows < 16 else [""]
        return [
            *wrap(how, width),
            *air,
            *wrap(self.second.text, width),
            *air,
            *wrap(check, width),
        ]

    def _words(self) -> Any:
        secret = set(self.second.text.split())
        return [
            ("class:accent" if line and set(line.split()) <= secret else "", f"{line}\n")
            for line in self._lines()
        ]

    def _below(self) -> Any:
        if not self.problem:
            return []
        width = max(10, self.dialog.panel.inner_width - self._beside())
        lines = wrap(self.problem, width - 2)[:2]
        return [("class:warning", f"{glyph(self.session, 'warn')} " + "\n  ".join(lines))]

    def _beside(self) -> int:
        return len(self.picture[0]) + GAP if self._is_pictured() else 0

    def _forget(self) -> None:
        self.problem = ""

    def _too_long(self, sentence: str) -> None:
        self.problem = sentence


class SecondFactor:
    """What a person does about their second factor. `show` gets recovery codes, to be shown once.
    Every method raises what the account raises."""

    def __init__(
        self,
        session: Session,
        own: OwnAccount,
        screen: Screen,
        show: Callable[[tuple[str, ...]], None],
    ) -> None:
        self.session = session
        self.own = own
        self.screen = screen
        self._show = show

    async def password(self, change: AccountChange, label: str = "Your password") -> str | None:
        """The password, if there is one to ask for; None for Esc."""
        return await password_for(self.own, change, self._hidden, label)

    async def proved(self, change: AccountChange) -> bool:
        """Asks for the proof that a change needs; False for Esc."""
        return await proved(self.own, change, self._hidden)

    async def _hidden(self, label: str) -> str | None:
        return await self.screen.prompt(label, hidden=True)

    async def open(self) -> None:
        self.own.proof_for(AccountChange.SECOND_FACTOR)
        if not self.own.record().totp:
            await self.set_up()
            return
        chosen = await self.screen.choose("Second factor", [SET_UP_AGAIN, TURN_OFF])
        if chosen == SET_UP_AGAIN:
            await self.set_up()
        elif chosen == TURN_OFF:
            await self.turn_off()

    async def set_up(self) -> None:
        """A secret, a code of it and the password; as often as it takes, until Esc."""
        second, problem = self.own.begin_second(), ""
        while True:
            code = await self.screen.open(SetUp(self.session, second, problem).dialog)
            if code is None:
                return
            password = await self.password(AccountChange.SECOND_FACTOR)
            if password is None:
                return
            try:
                codes = await asyncio.to_thread(self.own.confirm_second, second, code, password)
            except NotPossible as error:
                problem = str(error)
            else:
                self._show(codes)
                return

    async def turn_off(self) -> None:
        password = await self.password(AccountChange.SECOND_FACTOR, "Your password, to turn it off")
        if password is not None:
            await asyncio.to_thread(self.own.remove_second, password)
            self.screen.toast("Your second factor is off now", "warning")

    async def new_codes(self) -> None:
        self.own.proof_for(AccountChange.RECOVERY_CODES)
        detail = "The old ones will stop working."
        if not await self.screen.confirm("Make new recovery codes?", detail=detail):
            return
        password = await self.password(AccountChange.RECOVERY_CODES)
        if password is not None:
            self._show(await asyncio.to_thread(self.own.new_recovery_codes, password))
