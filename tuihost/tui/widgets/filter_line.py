"""The line for a filter or a search, above the rows that it is about."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any

from prompt_toolkit.keys import Keys

from tuihost.session.session import Session
from tuihost.text import clean, without_bom
from tuihost.tui.characters import cluster_before, width_of
from tuihost.tui.widgets.cells import Fragments, fit, glyph, spread
from tuihost.tui.widgets.held_key import ignore_held_key
from tuihost.tui.widgets.keymap import Keymap

LIMIT = 200
"""Characters that a filter can have."""


class FilterLine:
    """What is typed to find something, as one row for a `RowWindow`.

    `on_change` is called after every change of `text`; `status` is shown at the right end. While
    `active` is true somebody types into it; Esc clears, and Backspace in an empty line ends it.
    """

    def __init__(
        self,
        session: Session,
        on_change: Callable[[], None],
        *,
        placeholder: str = "Type to filter",
        status: Callable[[], str] = str,
    ) -> None:
        self.session = session
        self.text = ""
        self.active = False
        self.placeholder = placeholder
        self.status = status
        self._refusal = ""
        self._on_change = on_change

    def typing(self) -> bool:
        """Whether somebody types into it."""
        return self.active

    def in_use(self) -> bool:
        """Whether somebody types into it, or has."""
        return self.active or bool(self.text)

    def begin(self) -> None:
        """From now on, what is typed goes in here."""
        self.active = True

    def end(self) -> None:
        """What is typed no longer goes in here; the text stays."""
        self.active = False

    def set(self, text: str) -> None:
        """Replaces the text, unless it is too long."""
        text = clean(text)
        self._refusal = f"at most {LIMIT}" if len(text) > LIMIT else ""
        if text != self.text and not self._refusal:
            self.text = text
            self._on_change()

    def clear(self) -> None:
        """No text, and nobody types into it."""
        self.active = False
        self.set("")

    # ------------------------------------------------------------------ keys

    def bind(self, keys: Keymap, *, starts: bool, label: str = "filter") -> None:
        """Adds the keys to `keys`. With `starts`, any printable key but a blank starts it; else
        only `/` does."""

        @keys.add("/", label=f"to {label}" if starts else label, rank=60, before_typing=True)
        def _begin(event: Any) -> None:
            self.begin()

        def _type(event: Any) -> Any:
            return self._type(event.key_sequence[-1].key, event.data)

        keys.add("<any>", when=self.typing)(_type)
        if starts:
            to_start = keys.add(
                "<any>", label=f"to {label}", name="type", rank=60, when=lambda: not self.active
            )
            to_start(_type)
        self._bind_erasing(keys, self.in_use if starts else self.typing)

        @keys.add(Keys.BracketedPaste.value, when=lambda: starts or self.active)
        def _paste(event: Any) -> None:
            self.active = True
            self.set(self.text + " ".join(without_bom(event.data).split()))

    def _bind_erasing(self, keys: Keymap, used: Callable[[], bool]) -> None:
        """The keys that take back what was typed, while it is `used`."""

        @keys.add("escape", label="clear", rank=25, when=self.in_use)
        def _clear(event: Any) -> None:
            self.clear()
            ignore_held_key()

        @keys.add("backspace", when=used)
        def _erase(event: Any) -> None:
            self.set(self.text[: cluster_before(self.text, len(self.text))])
            self.active = bool(self.text)
            if not self.active:
                ignore_held_key()  # in a list of files it would leave the folder next

        @keys.add("c-w", when=used)
        def _erase_word(event: Any) -> None:
            self.set(self.text.rstrip().rpartition(" ")[0])
            self.active = bool(self.text)

        @keys.add("c-u", when=used)
        def _erase_all(event: Any) -> None:
            self.clear()

    def _type(self, key: Keys | str, data: str) -> Any:
        """Takes one typed character; a blank starts nothing, and no other key is text."""
        if isinstance(key, Keys) or not data.isprintable() or (data == " " and not self.active):
            return NotImplemented
        self.active = True
        self.set(self.text + data)
        return None

    # ------------------------------------------------------------------ one row

    def _said(self) -> str:
        return self._refusal or self.status()

    def row_count(self) -> int:
        return 1

    def row_key(self, index: int) -> Hashable:
        look = (self.session.theme, self.session.terminal.unicode)
        return (self.text, self.active, self.placeholder, self._said(), look)

    def row(self, index: int, width: int) -> Fragments:
        status = fit(self._said(), width // 2)
        left: Fragments = [("class:accent", f"  {glyph(self.session, 'prompt')} ")]
        room = width - 6 - width_of(status)
        text = self.text
        while width_of(text) > max(1, room):
            text = text[1:]  # the end of the text is where one types
        if text:
            left.append(("bold", text))
        if self.active:
            left.append(("reverse", " "))
        elif not text:
            left.append(("class:faint", fit(self.placeholder, max(0, room))))
        return spread(left, [("class:faint", f"{status} ")], width)
