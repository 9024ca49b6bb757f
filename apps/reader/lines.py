"""Reading line by line: numbered pages, shown a piece at a time."""

from __future__ import annotations

from tuihost import Disconnected, Session, clean

from .library import Library, Page, Unreadable
from .markdown import PageMarkdown, addressed, chunks

QUESTION = "Type a number or a name, l for the list, ? for help, q to leave: "
HELP = """\
A number or a name opens a page; it is shown a piece at a time.
Between the pieces Enter goes on and q stops.
find WORDS shows the lines that contain them.
l lists the pages again.
q leaves, and so does the end of input."""
LEAVING = ("q", "quit", "exit", "logout")
MORE = "Enter for more, q to stop: "
FEW, PIECE = 8, 20
"""Lines of a piece: the fewest, and the number if the height of the window is not known."""


async def converse(session: Session, library: Library) -> int:
    """Asks until the person leaves. The end of input leaves, too."""
    try:
        await session.say(listing(library))
        while True:
            answer = (await session.ask(QUESTION)).strip()
            verb, _, rest = answer.partition(" ")
            if answer.casefold() in LEAVING:
                return 0
            if answer in ("", "?"):
                await session.say(HELP)
            elif answer == "l":
                await session.say(listing(library))
            elif verb.casefold() == "find" and rest.strip():
                found = addressed("\n".join(library.lines_with(rest.split())), session.ssh_target)
                await session.say(found or f"No line contains {clean(rest, limit=40)}.")
            elif (page := library.find(answer)) is not None:
                await show(session, library, page)
            elif answer.casefold() == "help":
                await session.say(HELP)
            else:
                await session.say(f"There is no page {clean(answer, limit=40)}; l lists them.")
    except Disconnected:
        return 0


def listing(library: Library) -> str:
    """The pages with their numbers, one a line."""
    pages = library.pages()
    lines = [f"{number}. {page.title}" for number, page in enumerate(pages, start=1)]
    return "\n".join(lines) or "There are no pages here yet."


async def show(session: Session, library: Library, page: Page) -> None:
    """Shows a page, with a pause after each piece."""
    try:
        page, text = library.text(page)
    except Unreadable as error:
        await session.say(f"{page.title}: {error}")
        return
    text = addressed(text, session.ssh_target)
    size = session.terminal.size
    rows = max(FEW, size.rows - 4) if session.terminal.pty else PIECE
    for number, piece in enumerate(chunks(text, rows, max(1, size.columns))):
        if number and (await session.ask(MORE)).strip().casefold() == "q":
            return
        await session.say(PageMarkdown(piece, leads_on=False))
