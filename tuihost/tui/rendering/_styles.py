"""Styles as the codes of one kind of terminal, shared by all sessions in the same theme."""

from __future__ import annotations

import itertools
import re
from collections import OrderedDict
from collections.abc import Callable, Hashable
from threading import Lock
from typing import Any, NamedTuple

from prompt_toolkit.application import Application
from prompt_toolkit.layout.screen import Transparent
from prompt_toolkit.output import ColorDepth
from prompt_toolkit.styles import (
    BaseStyle,
    DummyStyleTransformation,
    StyleTransformation,
    merge_styles,
)

from tuihost.tui.defaults import base_style
from tuihost.tui.terminal.output import background_of, sgr, sgr_step

StyleSource = BaseStyle | Callable[[], BaseStyle] | None
"""The style of a theme, or what says which one it is now; None for prompt_toolkit's own alone."""

RESET = "\x1b[0m"
"""Text without attributes. Every frame ends like this."""

_numbers = itertools.count()

_LINK = re.compile(r"\[link:((?:https?://|mailto:)[!-Z\\^-~]{1,2048})\]", re.IGNORECASE)
_STYLES_KEPT = 8192
_THEMES_KEPT = 64


class StyleCodes(NamedTuple):
    """What a style string comes to on one kind of terminal."""

    sgr: str
    link: str
    """The target of an OSC 8 hyperlink, or empty."""
    visible: bool
    """Whether a space in this style differs from nothing at all."""
    paper: str | None
    """The background, if a space in this style shows nothing else; None if it does, and if nobody
    wrote it: then it may have the terminal's own background, or the theme's."""


PLAIN = StyleCodes(RESET, "", visible=False, paper="")
"""Of text without attributes."""


def looks_alike(char: str, codes: StyleCodes, others: StyleCodes) -> bool:
    """Whether a character looks the same in two styles."""
    if char == " ":
        return codes.paper is not None and codes.paper == others.paper
    return codes.sgr == others.sgr and codes.link == others.link


class StyleCache(dict[str, StyleCodes]):
    """The codes of style strings, in one style at one colour depth; each is worked out when first
    asked for.

    Threads: any, so that every session in one theme can share them. Bounded: apps make up style
    strings, and links are part of them.
    """

    def __init__(
        self, style: BaseStyle, transformation: StyleTransformation | None, depth: ColorDepth
    ) -> None:
        super().__init__()
        self._style = style
        self._transformation = transformation
        self._depth = depth
        self.number = next(_numbers)
        """Its own in this process."""
        self._steps: dict[tuple[str, str], str] = {}

    def step(self, before: str, after: str) -> str:
        """What turns one sequence of `sgr` into another: that one itself, or what differs if that
        is shorter."""
        step = self._steps.get((before, after))
        if step is None:
            if len(self._steps) >= _STYLES_KEPT:
                self._steps.clear()
            step = self._steps[before, after] = min(after, sgr_step(before, after), key=len)
        return step

    def __missing__(self, style: str) -> StyleCodes:
        attrs = self._style.get_attrs_for_style_str(style)
        if self._transformation is not None:
            attrs = self._transformation.transform_attrs(attrs)
        link = _LINK.search(style)
        visible = any(
            (attrs.color, attrs.bgcolor, attrs.underline, attrs.strike, attrs.blink, attrs.reverse)
        )
        if len(self) >= _STYLES_KEPT:
            self.clear()
        lines = attrs.underline or attrs.strike or attrs.blink or attrs.reverse
        sequence = sgr(attrs, self._depth)
        paper = None if link or lines or Transparent in style else background_of(sequence)
        codes = StyleCodes(sequence, link[1] if link else "", visible, paper)
        self[style] = codes
        return codes


class _SharedStyles:
    """The merged styles, and the codes of each, that sessions share. Threads: any. Bounded."""

    def __init__(self) -> None:
        self._lock = Lock()
        # What an id belongs to is kept beside it, so that the id stays its own.
        self._merged: OrderedDict[int, tuple[BaseStyle, BaseStyle]] = OrderedDict()
        self._caches: OrderedDict[Hashable, tuple[BaseStyle, StyleCache]] = OrderedDict()

    def merged(self, theme: BaseStyle) -> BaseStyle:
        """`theme` over prompt_toolkit's own defaults: the same object for the same theme."""
        with self._lock:
            found = self._merged.get(id(theme))
            if found is None:
                found = theme, merge_styles([base_style(), theme])
                self._merged[id(theme)] = found
            self._merged.move_to_end(id(theme))
            while len(self._merged) > _THEMES_KEPT:
                self._merged.popitem(last=False)
            return found[1]

    def codes(self, style: BaseStyle, depth: ColorDepth) -> StyleCache:
        """The codes of a merged style at one depth."""
        key = id(style), depth
        with self._lock:
            found = self._caches.get(key)
            if found is None:
                found = self._caches[key] = style, StyleCache(style, None, depth)
            self._caches.move_to_end(key)
            while len(self._caches) > _THEMES_KEPT:
                self._caches.popitem(last=False)
            return found[1]


_shared = _SharedStyles()


class AppStyle:
    """The style that one Application is drawn in now: its theme's, its own over that, at the
    terminal's depth. Knows when that has changed, and everything must be redrawn."""

    def __init__(self, source: StyleSource) -> None:
        self._source = source
        self._key: Hashable = None
        self.style: BaseStyle = base_style()
        self.codes: StyleCache | None = None
        """None until the first `update`."""

    def update(self, application: Application[Any]) -> bool:
        """Makes `style` and `codes` those of this moment; False if they were already."""
        source = self._source
        theme = source() if callable(source) else source
        own, depth = application.style, application.color_depth
        transformation = application.style_transformation
        plain = type(transformation) is DummyStyleTransformation
        key = (
            id(theme),
            own.invalidation_hash() if own is not None else None,
            None if plain else transformation.invalidation_hash(),
            depth,
        )
        if key == self._key:
            return False
        self._key = key
        below = base_style() if theme is None else _shared.merged(theme)
        self.style = below if own is None else merge_styles([below, own])
        if own is None and plain:
            self.codes = _shared.codes(self.style, depth)
        else:
            self.codes = StyleCache(self.style, None if plain else transformation, depth)
        return True
