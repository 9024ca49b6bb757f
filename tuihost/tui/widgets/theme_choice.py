"""Choosing a theme, and seeing each on the screen meanwhile."""

from __future__ import annotations

from tuihost.theme.theme import Theme
from tuihost.tui.widgets.screen import Screen


async def choose_theme(screen: Screen) -> Theme | None:
    """Lets the person choose a theme, which is remembered for them and returned. The screen shows
    each theme that they stand on; Esc brings back the one from before, and returns None."""
    session = screen.session
    before = session.theme

    def show(theme: Theme) -> None:
        if theme is not session.theme:
            session.set_theme(theme.name, remember=False)

    chosen = await screen.choose(
        "Theme",
        session.host.themes(),
        label=lambda theme: theme.title,
        description=lambda theme: theme.description,
        selected=before,
        on_change=show,
    )
    if chosen is None:
        show(before)
    else:
        session.set_theme(chosen.name)
    return chosen
