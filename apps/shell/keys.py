"""The keys of the shell's screen, and what Tab does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from prompt_toolkit.buffer import Buffer, CompletionState
from prompt_toolkit.completion import CompleteEvent, get_common_complete_suffix
from prompt_toolkit.document import Document
from prompt_toolkit.keys import Keys
from prompt_toolkit.search import SearchDirection, start_search, stop_search

from tuihost.widgets import Keymap

if TYPE_CHECKING:
    from .screen import ShellScreen


def shell_keys(shell: ShellScreen) -> Keymap:
    """The keys of the line that is typed, and of the transcript above it."""
    keys = Keymap(group="Shell")
    _add_stopping_keys(keys, shell)

    @keys.add("c-l", label="clear", show=False)
    def _clear(event: Any) -> None:
        shell.transcript.clear()

    @keys.add(Keys.BracketedPaste.value, when=lambda: shell.app.layout.has_focus(shell.input))
    def _paste(event: Any) -> None:
        shell.paste(event.data)

    @keys.add("c-r", label="search", rank=30, when=lambda: not shell.app.layout.is_searching)
    def _search(event: Any) -> None:
        start_search(direction=SearchDirection.BACKWARD)

    @keys.add("pageup", label="up", show=False)
    def _up(event: Any) -> None:
        shell.scroll(-shell.rows.page)

    @keys.add("pagedown", label="down", show=False)
    def _down(event: Any) -> None:
        shell.scroll(shell.rows.page)

    _add_completion_keys(keys, shell)
    return keys


def _add_stopping_keys(keys: Keymap, shell: ShellScreen) -> None:
    """Those that end what runs, what is typed, the search, and the shell itself."""

    def searching() -> bool:
        return shell.app.layout.is_searching

    def running() -> bool:
        return not searching() and shell.running is not None

    def typing() -> bool:
        return not searching() and shell.running is None

    @keys.add("c-c", label="stop", rank=10, when=running)
    def _stop(event: Any) -> None:
        shell.stop()

    @keys.add("c-c", label="clear line", show=False, when=typing)
    def _clear_line(event: Any) -> None:
        shell.input.buffer.reset()

    @keys.add("c-c", "c-g", label="end the search", rank=10, when=searching)
    def _end_search(event: Any) -> None:
        stop_search()

    @keys.add("c-d", label="leave", rank=95, when=lambda: not shell.input.text)
    def _leave(event: Any) -> None:
        shell.leave()


def _add_completion_keys(keys: Keymap, shell: ShellScreen) -> None:
    buffer = shell.input.buffer
    spaced: list[Document] = []

    @keys.add("tab", label="complete", rank=20)
    def _complete(event: Any) -> None:
        if buffer.complete_state:
            buffer.complete_next()
        else:
            spaced[:] = [buffer.document] if complete(buffer) else []

    @keys.add("space", while_typing=True, when=lambda: buffer.document in spaced)
    def _there_already(event: Any) -> None:
        spaced.clear()

    @keys.add("s-tab", label="the one before", show=False)
    def _back(event: Any) -> None:
        buffer.complete_previous()

    @keys.add("escape", label="close", show=False, when=lambda: buffer.complete_state is not None)
    def _close(event: Any) -> None:
        buffer.cancel_completion()


def complete(buffer: Buffer) -> bool:
    """Inserts what all completions have in common, and offers them if there are several. A word
    that is whole gets a space, and then the answer is True. All of it is done at once, unlike
    `Buffer.start_completion`: a key that was typed ahead comes after it."""
    found = list(buffer.completer.get_completions(buffer.document, CompleteEvent()))
    common = get_common_complete_suffix(buffer.document, found)
    if common:
        buffer.insert_text(common)
        found = [completion.new_completion_from_position(len(common)) for completion in found]
    if len(found) > 1:
        buffer.complete_state = CompletionState(buffer.document, found)
        buffer.on_completions_changed.fire()
        return False
    if found and not common:
        buffer.apply_completion(found[0])
    return (bool(found) or _may_go_on(buffer)) and _end_word(buffer)


def _may_go_on(buffer: Buffer) -> bool:
    """Whether the word before the cursor is whole, and something can follow it."""
    text = buffer.document.text_before_cursor
    if not text or text[-1:].isspace():
        return False
    after = buffer.completer.get_completions(Document(f"{text} "), CompleteEvent())
    return any(after)


def _end_word(buffer: Buffer) -> bool:
    """Puts a space behind what is whole, as other shells do. A folder may go on."""
    document = buffer.document
    ended = document.text_before_cursor[-1:] in ("/", "\\", " ") or document.current_char == " "
    if not ended:
        buffer.insert_text(" ")
    return not ended
