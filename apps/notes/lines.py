"""Notes line by line: for screen readers, dumb terminals and scripts."""

from __future__ import annotations

from tuihost import Disconnected, Session, ago, clean, counted, size_of

from .limits import MAX_NOTE
from .note import ADD, REMOVE, Draft, Note, NotesError, Summary, guest_hints, owner_of
from .store import Store

QUESTION = "A number shows a note. add, delete, find, list, ? for help, q to leave: "
HELP = """\
A number shows that note.
add TEXT keeps a note; add alone asks for one of several lines.
delete NUMBER removes a note, and undo brings the last one back.
find WORDS lists the notes that hold all of them.
list lists the latest notes, list all every one of them.
keep saves the drafts that you left unsaved.
q leaves, and so does the end of input."""
COMMANDS = {
    **dict.fromkeys(("add", "a", "keep", "k"), ADD),
    **dict.fromkeys(("delete", "d", "remove", "undo", "u"), REMOVE),
}
"""The commands that somebody has to be allowed to run for what changes something."""
LATEST = 20
MAX_DIGITS = 18  # of the number of a note, as SQLite can take it
END = "."
LEAVING = ("q", "quit", "exit", "logout")


async def converse(session: Session, store: Store) -> int:
    """Asks until the person leaves; the end of input leaves, too."""
    lines = Lines(session, store)
    try:
        await session.say(lines.greeting())
        while True:
            verb, _, rest = (await session.ask(QUESTION)).strip().partition(" ")
            if verb.casefold() in LEAVING:
                return 0
            try:
                await session.say(await lines.answer(verb.casefold(), rest.strip()))
            except NotesError as error:
                await session.say(str(error))
    except Disconnected:
        return 0


class Lines:
    """The answers to what one person types."""

    def __init__(self, session: Session, store: Store) -> None:
        self.session = session
        self.store = store
        self.owner = owner_of(session)

    def greeting(self) -> str:
        parts = [guest_hints(self.session)[0]]
        try:
            parts.append(self.listing(LATEST))
            if drafts := self.store.drafts(self.owner):
                titles = ", ".join(clean(draft.title, limit=40) for draft in drafts)
                parts.append(f"Left unsaved: {titles}. Type keep to save it.")
        except NotesError as error:
            parts.append(str(error))
        return "\n".join(part for part in parts if part)

    async def answer(self, verb: str, rest: str) -> str:
        """The answer to one line. Raises `NotesError`."""
        command = COMMANDS.get(verb, "")
        if command and not self.session.may_run(command):
            return f"You may not run notes {command}."
        match verb:
            case "" | "?" | "help":
                return HELP
            case "add" | "a":
                return await self.add(rest)
            case "delete" | "d" | "remove":
                return await self.delete(rest)
            case "undo" | "u":
                return self.undo()
            case "find" | "f" | "/":
                return self.found(self.store.summaries(self.owner, rest.split()), rest)
            case "list" | "l":
                return self.listing(None if rest else LATEST)
            case "keep" | "k":
                return self.keep()
            case "show" | "s":
                return self.show(rest)
            case _ if verb.isdecimal():
                return self.show(verb)
            case _:
                return f"{clean(verb, limit=30)} is not a command here. Type ? for help."

    def listing(self, most: int | None) -> str:
        notes = self.store.summaries(self.owner)
        if not notes:
            return "You have no notes yet. Type add and a text to keep the first."
        lines = [f"You have {counted(len(notes), 'note')}, the latest first:"]
        lines += [self._entry(note) for note in notes[:most]]
        if most is not None and len(notes) > most:
            lines.append(f"And {len(notes) - most} more: list all.")
        return "\n".join(lines)

    def found(self, notes: list[Summary], words: str) -> str:
        if not words:
            return "Say what to find: find WORDS"
        if not notes:
            return f"No note holds {clean(words, limit=40)}."
        return "\n".join([f"Found {counted(len(notes), 'note')}:", *map(self._entry, notes)])

    def show(self, which: str) -> str:
        note = self._note(which)
        return note if isinstance(note, str) else note.text

    async def add(self, text: str) -> str:
        note = self.store.add(self.owner, text or await self._many_lines())
        return f"Note {note.number} added."

    async def _many_lines(self) -> str:
        """Lines up to one with only a dot. If the connection drops, they are kept as a draft. A
        line that does not fit is said, and left out."""
        await self.session.say(f"Write; a line with only {END} ends the note.")
        lines: list[str] = []
        room = MAX_NOTE
        try:
            while (line := await self.session.ask("> ")) != END:
                size = len(line.encode("utf-8", "replace")) + 1
                if size > room:
                    await self.session.say(
                        f"A note can have {size_of(MAX_NOTE)}; no room for that."
                    )
                    continue
                room -= size
                lines.append(line)
        except Disconnected:
            if any(lines):
                self.store.keep_draft(self.owner, Draft(text="\n".join(lines)))
            raise
        return "\n".join(lines)

    async def delete(self, which: str) -> str:
        note = self._note(which)
        if isinstance(note, str):
            return note
        title = clean(note.title, limit=60)
        sure = await self.session.ask(f"Delete {title}? yes or no: ")
        if sure.strip().lower() not in ("y", "yes"):
            return "It stays."
        removed = self.store.remove(self.owner, note.number, note.revision)
        if removed is not None:
            self.session.memory["removed"] = removed
        return f"Note {note.number} is deleted. Type undo to bring it back."

    def undo(self) -> str:
        """Undoes the last deletion of this visit, on a screen or here."""
        removed = self.session.memory.get("removed")
        if removed is None:
            return "There is nothing to bring back."
        self.store.restore(self.owner, removed)
        del self.session.memory["removed"]
        return f"Note {removed.number} is back."

    def keep(self) -> str:
        saved = [self.store.save(self.owner, draft) for draft in self.store.drafts(self.owner)]
        if not saved:
            return "Nothing was left unsaved."
        return "\n".join(
            f"Note {save.note.number} saved: {clean(save.note.title)}" for save in saved
        )

    def _note(self, which: str) -> Note | str:
        """The note that a number means, or what is wrong with it."""
        if not which.isdecimal():
            return "Say which one, by its number."
        note = self.store.get(self.owner, int(which)) if len(which) <= MAX_DIGITS else None
        return note if note is not None else f"You have no note {clean(which, limit=MAX_DIGITS)}."

    def _entry(self, note: Summary) -> str:
        when = ago(self.session.host.now() - note.changed)
        return f"{note.number}. {clean(note.title, limit=70)} ({when})"
