"""Key bindings that know what they are for: one source for what keys do, for the line of keys
and for the help.

    keys = Keymap()
    @keys.add("n", label="new note")
    def _(event): ...

A letter is a command only where it cannot be text: not in a text area, and not in a list that
filters as one types. The line and the help show only the bindings that work at that moment, read
from where prompt_toolkit itself reads them.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from prompt_toolkit.application import get_app
from prompt_toolkit.application.application import Application
from prompt_toolkit.filters import Condition
from prompt_toolkit.key_binding import KeyBindings
from prompt_toolkit.key_binding.key_bindings import KeyBindingsBase
from prompt_toolkit.key_binding.key_processor import KeyPressEvent
from prompt_toolkit.keys import Keys
from prompt_toolkit.layout.containers import Container, Window
from prompt_toolkit.layout.controls import BufferControl

Handler = Callable[[KeyPressEvent], Any]
AnyHandler = TypeVar("AnyHandler", bound=Callable[..., Any])
When = Callable[[], bool]

_SIGNS = {"up": "↑", "down": "↓", "left": "←", "right": "→", "enter": "⏎"}
_WORDS = {
    "up": "Up", "down": "Dn", "left": "Left", "right": "Right", "enter": "Enter",
    "escape": "Esc", "tab": "Tab", "s-tab": "Shift-Tab", "space": "Space", "backspace": "Bksp",
    "delete": "Del", "insert": "Ins", "home": "Home", "end": "End", "pageup": "PgUp",
    "pagedown": "PgDn", "c-@": "^Space", "<any>": "",
}  # fmt: skip
_ALIASES = {"c-m": "enter", "c-i": "tab", "c-h": "backspace", " ": "space"}


def key_name(key: str, unicode: bool = True) -> str:
    """The name of a key as people know it: `⏎`, `^S`, `Esc`, `F2`, `Alt-x`."""
    if " " in key.strip():
        first, *rest = key.split()
        following = " ".join(key_name(part, unicode) for part in rest)
        return (
            f"Alt-{following}" if first == "escape" else f"{key_name(first, unicode)} {following}"
        )
    key = _ALIASES.get(key, key)
    if unicode and key in _SIGNS:
        return _SIGNS[key]
    if key in _WORDS:
        return _WORDS[key]
    if key.startswith("c-"):
        return "^" + key_name(key[2:], unicode).upper()
    if key.startswith("s-"):
        return "Shift-" + key_name(key[2:], unicode)
    return key.upper() if len(key) > 1 and key[0] == "f" else key


@dataclass(frozen=True, slots=True)
class Hint:
    """One thing that keys do. `keys` are the equal ways to type it, the first the shown one;
    `name`, if given, is shown instead of their names. `rank` orders the line of keys."""

    keys: tuple[str, ...]
    label: str
    group: str = ""
    show: bool = True
    name: str = ""
    rank: int = 50


class _Once:
    """A handler that waits, if it is `async`, runs once at a time: a key that is held down asks
    one question, not ten."""

    __slots__ = ("_handler", "_running")

    def __init__(self, handler: Handler) -> None:
        self._handler = handler
        self._running: Coroutine[Any, Any, Any] | None = None

    def __call__(self, event: KeyPressEvent) -> Any:
        running = self._running
        if running is not None and inspect.getcoroutinestate(running) != inspect.CORO_CLOSED:
            return None
        result = self._handler(event)
        self._running = result if inspect.iscoroutine(result) else None
        return result


class _Described:
    """A handler that carries its hint. prompt_toolkit passes handlers on as they are, through
    merged and conditional bindings, so a hint is found wherever its binding is."""

    __slots__ = ("handler", "hint", "key")

    def __init__(self, handler: Handler, hint: Hint, key: str) -> None:
        self.handler = handler
        self.hint = hint
        self.key = key

    def __call__(self, event: KeyPressEvent) -> Any:
        return self.handler(event)


class Keymap:
    """Key bindings with descriptions. `group` heads them in the help.

    `bindings` is what prompt_toolkit takes: `HSplit(…, key_bindings=keys.bindings)`.
    """

    def __init__(self, group: str = "") -> None:
        self.group = group
        self.bindings = KeyBindings()

    def add(
        self,
        *keys: str,
        label: str = "",
        group: str = "",
        show: bool = True,
        when: When | None = None,
        while_typing: bool = False,
        before_typing: bool = False,
        eager: bool = False,
        name: str = "",
        rank: int = 50,
    ) -> Callable[[AnyHandler], AnyHandler]:
        """Binds one or more `keys` to a handler, which takes the event and may be `async`; as long
        as such a handler runs, its keys do nothing.

        A key is prompt_toolkit's name for it ("c-s", "enter", "n"); a sequence has spaces between
        its keys ("escape x"). Without a `label` a binding works but is shown nowhere;
        `show=False` keeps it out of the line of keys and in the help. `when` says whether it
        works now. Letters, digits and signs do nothing where they are text, unless `while_typing`:
        in a text area, and in a list that filters as one types. With `before_typing` they work in
        such a list as long as its filter is empty, which is for the few signs that no word begins
        with.
        """
        hint = Hint(keys, label, group or self.group, show and bool(label), name, rank)

        def bind(handler: AnyHandler) -> AnyHandler:
            once = _Once(handler)
            for key in keys:
                described = _Described(once, hint, key)
                sequence = _sequence(key)
                self.bindings.add(
                    *sequence,
                    filter=_filter(sequence, when, while_typing, before_typing),
                    eager=eager,
                    save_before=_never,
                )(described)
            return handler

        return bind


def _never(event: KeyPressEvent) -> bool:
    """A handler that changes a text tells its buffer to remember the one before. If the processor
    did so for every key, nothing could be done again after an undo."""
    return False


def _filter(
    sequence: tuple[str, ...], when: When | None, while_typing: bool, before_typing: bool
) -> Any:
    """One Condition a binding. `&` would do, but keeps its result in the filter on its left for
    as long as that lives, which for a filter of the module is for ever."""
    is_text = len(sequence) == 1 and (len(sequence[0]) == 1 or sequence[0] == "space")
    if is_text and not while_typing:
        text = typing if before_typing else takes_text
        return Condition(lambda: not text() and (when is None or when()))
    return True if when is None else Condition(when)


def parsed(key: str) -> tuple[Keys | str, ...]:
    """A key's name as `Keymap.add` takes it, as the keys that prompt_toolkit processes."""
    probe = KeyBindings()
    probe.add(*_sequence(key))(lambda event: None)
    return probe.bindings[0].keys


def _sequence(key: str) -> tuple[str, ...]:
    return tuple(key.split()) if key != " " else ("space",)


def typing() -> bool:
    """Whether text is being typed now: an editable buffer has the focus, or a window that says so
    by a method `typing`, such as a list with something in its filter."""
    return _says("typing")


def takes_text() -> bool:
    """Whether a letter would be text now: while text is being typed, and where the first letter
    would begin one, which a window says by a method `takes_text`."""
    return _says("typing") or _says("takes_text")


def _says(name: str) -> bool:
    window = get_app().layout.current_window
    if isinstance(window.content, BufferControl):
        return not window.content.buffer.read_only()
    said = getattr(window, name, None)
    return bool(said()) if said is not None else False


# ------------------------------------------------------------------- what works at this moment


def live_hints(app: Application[Any]) -> list[Hint]:
    """What keys do at the moment, innermost first. Each key counts where it is bound first.

    Walks the way that prompt_toolkit walks to find a binding: the focused control, then every
    container around it up to a modal one, then the application.
    """
    claimed: set[tuple[Keys | str, ...]] = set()
    found: dict[int, tuple[Hint, list[str]]] = {}
    for bindings in _registries(app):
        # Of equal bindings in one place the last one counts.
        active = {binding.keys: binding for binding in bindings.bindings if binding.filter()}
        for keys, binding in active.items():
            handler = binding.handler
            if isinstance(handler, _Described) and handler.hint.label and keys not in claimed:
                hint = handler.hint
                found.setdefault(id(hint), (hint, []))[1].append(handler.key)
        claimed.update(active)
    # Of equal keys only those that work now: `q` may rest while Ctrl-C does not.
    return [replace(hint, keys=tuple(keys)) for hint, keys in found.values()]


def _registries(app: Application[Any]) -> Iterator[KeyBindingsBase]:
    container: Container | None = app.layout.current_window
    while container is not None:
        if isinstance(container, Window):
            own = container.content.get_key_bindings()
            if own is not None:
                yield own
        around = container.get_key_bindings()
        if around is not None and not isinstance(container, Window):
            yield around
        if container.is_modal():
            break
        container = app.layout.get_parent(container)
    if app.key_bindings is not None:
        yield app.key_bindings


@dataclass(frozen=True, slots=True)
class KeyLabel:
    """What is shown for one label: the names of its keys, and the label."""

    keys: str
    label: str
    group: str
    rank: int
    press: str


def labels(hints: list[Hint], *, unicode: bool, every_alias: bool = False) -> list[KeyLabel]:
    """Hints as they are shown, one for each label: `↑` and `↓` that both say "move" become
    `↑↓ move`. The line shows the first of equal keys, the help (`every_alias`) all of them."""
    grouped: dict[tuple[str, str], list[Hint]] = {}
    for hint in hints:
        if every_alias or hint.show:
            grouped.setdefault((hint.group, hint.label), []).append(hint)
    return [
        KeyLabel(
            next((hint.name for hint in same if hint.name), "")
            or _names_of(same, unicode=unicode, every_alias=every_alias),
            label,
            group,
            min(hint.rank for hint in same),
            same[0].keys[0],
        )
        for (group, label), same in grouped.items()
    ]


def _names_of(same: list[Hint], *, unicode: bool, every_alias: bool) -> str:
    """The keys of hints with one label: `↑↓ kj` for two that have an alias each."""
    if not every_alias:
        return _join([key_name(hint.keys[0], unicode) for hint in same])
    if len(same) == 1:
        return " ".join(key_name(key, unicode) for key in same[0].keys)
    rows = zip(*(hint.keys for hint in same), strict=False)
    return " ".join(_join([key_name(key, unicode) for key in row]) for row in rows)


def _join(names: list[str]) -> str:
    """`↑↓`, but `PgUp/PgDn`."""
    return "".join(names) if all(len(name) == 1 for name in names) else "/".join(names)
