"""The reader: the Markdown pages of a folder, by default the handbook of this host."""

from __future__ import annotations

import json as to_json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from prompt_toolkit.application import Application

from tuihost import App, AppLoadError, Session, clean, command

from .library import Library, Unreadable
from .lines import converse
from .markdown import PageMarkdown, addressed
from .screen import ReaderScreen


class Reader(App):
    """Read the handbook of this host."""

    name = "reader"
    title = "Reader"
    group = "Everyday"
    icon = "▤"
    order = 20
    known_options = {"folder": str}
    default_command = "list"

    def start(self) -> None:
        self.library = Library(_folder(self.options))

    def option_mistakes(self, options: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
        try:
            _folder(options)
        except AppLoadError as error:
            yield "folder", str(error)

    def build(self, session: Session) -> Application[Any]:
        return ReaderScreen(session, self.library).application()

    async def talk(self, session: Session) -> int:
        return await converse(session, self.library)

    # ------------------------------------------------------------------ from a shell

    @command
    def list(self, session: Session, *, json: bool = False) -> int:
        """List the pages: their names, which `show` takes, and their titles."""
        pages = self.library.pages()
        if json:
            names = ("name", "title", "file", "size", "problem")
            rows = [{name: getattr(page, name) for name in names} for page in pages]
            session.print(to_json.dumps(rows, indent=2))
            return 0
        width = max((len(page.name) for page in pages), default=0)
        for page in pages:
            session.print(f"{page.name:<{width}}  {page.problem or page.title}")
        return 0

    @command
    def show(self, session: Session, page: str) -> int:
        """Show PAGE, which is a name, a title or a number."""
        found = self.library.find(page)
        if found is None:
            session.error(f"There is no page {clean(page, limit=60)}. `reader list` lists them.")
            return 1
        try:
            _, text = self.library.text(found)
        except Unreadable as error:
            session.error(f"{found.title}: {error}")
            return 1
        text = addressed(text, session.ssh_target)
        session.print(
            PageMarkdown(text, leads_on=False) if session.terminal.pty else text.strip("\n")
        )
        return 0

    @command
    def search(self, session: Session, word: str, *words: str) -> int:
        """Find the lines with every WORD, as `page:line: text`."""
        found = self.library.lines_with([word, *words])
        for line in found:
            session.print(addressed(line, session.ssh_target))
        if not found:
            session.error(f"No line contains {clean(' '.join([word, *words]), limit=60)}.")
        return 0 if found else 1


def _folder(options: Mapping[str, Any]) -> Path:
    """Where the pages are. Raises `AppLoadError`."""
    given = options.get("folder") or Path(__file__).parent / "pages"
    try:
        folder = Path(given).expanduser()
    except (RuntimeError, TypeError):
        raise AppLoadError(f"there is no folder with pages at {given}") from None
    if not folder.is_absolute():  # it would be another one wherever the host is started
        raise AppLoadError(f"'folder' should begin with / or ~, not {given!r}")
    if not folder.is_dir():
        raise AppLoadError(f"there is no folder with pages at {folder}")
    return folder


app = Reader()
