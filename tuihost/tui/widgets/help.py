"""The help: what every key does at the moment, made from the bindings themselves."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any

from prompt_toolkit.layout.dimension import Dimension

from tuihost.session.session import Session
from tuihost.tui.characters import width_of
from tuihost.tui.layout.rows import RowWindow
from tuihost.tui.layout.splits import HSplit
from tuihost.tui.widgets.cells import Fragments, cut, fit, pad, wrap
from tuihost.tui.widgets.dialogs import Dialog
from tuihost.tui.widgets.keymap import Hint, KeyLabel, Keymap, labels

WIDTH = 52


class HelpOverlay:
    """Rows of keys under the headings of their groups, as a source for a `RowWindow`."""

    def __init__(self, session: Session, hints: Sequence[Hint], text: str = "") -> None:
        self.session = session
        shown = labels(list(hints), unicode=session.terminal.unicode, every_alias=True)
        if session.from_menu:
            escape = session.host.escape_label
            shown.append(KeyLabel(escape, "back to the menu", "Everywhere", 99, escape))
        groups: dict[str, list[KeyLabel]] = {}
        for label in sorted(shown, key=lambda label: label.rank):
            groups.setdefault(label.group or "Here", []).append(label)
        self.rows: list[str | KeyLabel] = []
        if text:
            self.rows += wrap(text, max(10, min(WIDTH, session.terminal.size.columns) - 6))
        for group in sorted(groups, key=lambda name: name == "Everywhere"):
            self.rows += [""] if self.rows else []
            self.rows += [f"# {group}", *groups[group]]
        widths = (width_of(row.keys) for row in self.rows if isinstance(row, KeyLabel))
        self.key_width = min(22, max(widths, default=4))
        wanted = (width_of(row.label) for row in self.rows if isinstance(row, KeyLabel))
        self.width = max(WIDTH + 4, self.key_width + max(wanted, default=0) + 10)

    def row_count(self) -> int:
        return len(self.rows)

    def row_key(self, index: int) -> Hashable:
        return (index, self.rows[index], self.session.theme)

    def row(self, index: int, width: int) -> Fragments:
        match self.rows[index]:
            case KeyLabel(keys=keys, label=label):
                named: Fragments = [("class:key", pad(keys, self.key_width)), ("", f"  {label}")]
                return cut(named, width)
            case str(text) if text.startswith("# "):
                return [("class:heading", fit(text[2:], width))]
            case text:
                return [("class:muted", fit(str(text), width))]


def help_dialog(session: Session, hints: Sequence[Hint], text: str = "") -> Dialog[bool]:
    """The help as a dialog; `?`, `q` and Esc close it."""
    keys = Keymap(group="Help")
    overlay = HelpOverlay(session, hints, text)
    window = RowWindow(overlay, height=lambda: Dimension(min=1, preferred=overlay.row_count()))
    dialog: Dialog[bool] = Dialog(
        session, "Keys", HSplit([window]), focus=window, keys=keys, width=overlay.width
    )

    @keys.add("?", "q", "enter", label="close", rank=20)
    def _close(event: Any) -> None:
        dialog.close(True)

    @keys.add("up", "k", label="scroll", rank=10)
    def _up(event: Any) -> None:
        window.scroll(-1)

    @keys.add("down", "j", label="scroll", rank=10)
    def _down(event: Any) -> None:
        window.scroll(1)

    @keys.add("pageup", label="a page", show=False)
    def _page_up(event: Any) -> None:
        window.scroll(-10)

    @keys.add("pagedown", "space", label="a page", show=False)
    def _page_down(event: Any) -> None:
        window.scroll(10)

    return dialog
