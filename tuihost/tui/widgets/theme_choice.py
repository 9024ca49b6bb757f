"""Choosing a theme, and seeing each on the screen meanwhile."""

from __future__ import annotations

from tuihost.session.session import Session
from tuihost.theme.theme import Theme
from tuihost.tui.widgets.screen import Screen

AUTOMATIC = ""
"""In place of a theme's name: no theme has been chosen."""


async def choose_theme(screen: Screen) -> Theme | None:
    """Lets the person choose a theme, or the automatic one again, which is remembered for them; the
    theme that they have then. The screen shows each that they stand on; Esc brings back the one
    from before, and returns None."""
    session = screen.session
    themes = {theme.name: theme for theme in session.host.themes()}
    before, shown = session.theme, [chosen_theme(session)]

    def show(name: str) -> None:
        if name != shown[-1]:
            shown.append(name)
            session.set_theme(name, remember=False)

    chosen = await screen.choose(
        "Theme",
        [AUTOMATIC, *themes],
        label=lambda name: themes[name].title if name else "Automatic",
        description=lambda name: (
            themes[name].description if name else "Light or dark, as your terminal is."
        ),
        selected=shown[0],
        on_change=show,
    )
    if chosen is None:
        session.stage.theme_changed(before)
        return None
    session.set_theme(chosen)
    return session.theme


def chosen_theme(session: Session) -> str:
    """The name of the theme that the person has chosen; `AUTOMATIC` if they have not."""
    name = session.preferences.get("theme")
    return name if any(theme.name == name for theme in session.host.themes()) else AUTOMATIC
