"""The widgets for screens, under one name: what authors of apps import besides `tuihost`.

from tuihost.widgets import ListView, Screen

def build(self, session):
    notes = ListView(session, self.notes(session), on_open=self.read)
    return Screen(session, "Notes", notes).application()
"""

from __future__ import annotations

from tuihost.tui.characters import width_of
from tuihost.tui.layout.rows import RowSource, RowWindow
from tuihost.tui.layout.splits import HSplit, VSplit
from tuihost.tui.widgets.cells import Fragments, fit, glyph, pad, spread, wrap
from tuihost.tui.widgets.charts import meter, sparkline
from tuihost.tui.widgets.dialogs import Dialog
from tuihost.tui.widgets.editor import TextEditor
from tuihost.tui.widgets.filter_line import FilterLine
from tuihost.tui.widgets.fuzzy import Match, filter_items, match
from tuihost.tui.widgets.held_key import ignore_held_key
from tuihost.tui.widgets.help import HelpOverlay
from tuihost.tui.widgets.keymap import Keymap, typing
from tuihost.tui.widgets.list_view import ListView
from tuihost.tui.widgets.panel import Panel
from tuihost.tui.widgets.rich_view import RichView
from tuihost.tui.widgets.screen import Screen
from tuihost.tui.widgets.side_by_side import SideBySide
from tuihost.tui.widgets.table import Column, Table
from tuihost.tui.widgets.text_limit import TextLimit
from tuihost.tui.widgets.theme_choice import choose_theme

__all__ = [
    "Column",
    "Dialog",
    "FilterLine",
    "Fragments",
    "HSplit",
    "HelpOverlay",
    "Keymap",
    "ListView",
    "Match",
    "Panel",
    "RichView",
    "RowSource",
    "RowWindow",
    "Screen",
    "SideBySide",
    "Table",
    "TextEditor",
    "TextLimit",
    "VSplit",
    "choose_theme",
    "filter_items",
    "fit",
    "glyph",
    "ignore_held_key",
    "match",
    "meter",
    "pad",
    "sparkline",
    "spread",
    "typing",
    "width_of",
    "wrap",
]
