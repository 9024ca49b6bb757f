"""Roles, turned into what prompt_toolkit, rich and Pygments each want.

The three libraries are imported when they are first needed: the command line stays quick.
"""

from __future__ import annotations

import types
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from tuihost.theme.roles import ANSI, Role

if TYPE_CHECKING:
    from prompt_toolkit.styles import BaseStyle
    from pygments.style import Style as PygmentsStyle
    from rich.style import Style as RichStyle
    from rich.theme import Theme as RichTheme

Roles = Mapping[str, Role]

# prompt_toolkit's own classes and the role that each plays. Its defaults set marks (reverse,
# underline) that must go, so these are written in full.
_PTK_CLASSES = (
    ("search", "match"),
    ("search.current", "button.focused"),
    ("incsearch", "match"),
    ("incsearch.current", "button.focused"),
    ("selected", "selection"),
    ("cursor-line", "cursor-line"),
    ("cursor-column", "cursor-line"),
    ("color-column", "cursor-line"),
    ("matching-bracket.other", "match"),
    ("matching-bracket.cursor", "match"),
    ("multiple-cursors", "selection"),
    ("line-number", "muted"),
    ("line-number.current", "key"),
    ("tilde", "faint"),
    ("prompt", "accent"),
    ("placeholder", "muted"),
    ("auto-suggestion", "muted"),
    ("trailing-whitespace", "faint"),
    ("tab", "faint"),
    ("nbsp", "faint"),
    ("control-character", "warning"),
    ("digraph", "warning"),
    ("search-toolbar", "bar"),
    ("search-toolbar.text", "text"),
    ("system-toolbar", "bar"),
    ("arg-toolbar", "bar"),
    ("bottom-toolbar", "bar"),
    ("bottom-toolbar.text", "bar"),
    ("validation-toolbar", "error"),
    ("window-too-small", "warning"),
    ("completion-toolbar", "bar"),
    ("completion-toolbar.arrow", "key"),
    ("completion-toolbar.completion", "bar"),
    ("completion-toolbar.completion.current", "selection"),
    ("completion-menu", "dialog"),
    ("completion-menu.completion", "dialog"),
    ("completion-menu.completion.current", "selection"),
    ("completion-menu.meta.completion", "dialog"),
    ("completion-menu.meta.completion.current", "selection.muted"),
    ("completion-menu.multi-column-meta", "dialog"),
    ("frame.border", "border"),
    ("frame.label", "title"),
    ("dialog.body", "dialog"),
    ("dialog.body text-area", "input"),
    ("dialog.body text-area last-line", "input"),
    ("dialog frame.label", "dialog.title"),
    ("button", "button"),
    ("button.arrow", "button"),
    ("button.focused", "button.focused"),
    ("radio-selected", "selection"),
    ("checkbox-selected", "selection"),
    ("menu-bar", "bar"),
    ("menu-bar.selected-item", "selection"),
    ("menu", "dialog"),
    ("menu.border", "border"),
)

# Classes that are drawn as spaces of a background: which role's colour fills them.
_PTK_FILLED = (
    ("scrollbar.background", "table.stripe", "bg"),
    ("scrollbar.button", "border", "fg"),
    ("dialog.body scrollbar.background", "dialog", "bg"),
    ("dialog.body scrollbar.button", "border", "fg"),
    ("progress-bar", "table.stripe", "bg"),
    ("progress-bar.used", "accent", "fg"),
    ("dialog shadow", "text", "bg"),
    ("dialog.body shadow", "text", "bg"),
)

_RICH_STYLES = {
    "rule.line": "border",
    "rule.text": "heading",
    "table.title": "title",
    "table.caption": "muted",
    "table.footer": "table.header",
    "tree.line": "border",
    "panel.border": "border",
    "prompt.choices": "key",
    "prompt.default": "muted",
    "prompt.invalid": "error",
    "markdown.code": "code",
    "markdown.code_block": "code",
    "markdown.block_quote": "quote",
    "markdown.list": "text-ink",
    "markdown.item.bullet": "accent",
    "markdown.item.number": "accent",
    "markdown.hr": "border",
    "markdown.h1": "heading",
    "markdown.h1.border": "border",
    "markdown.h2": "heading",
    "markdown.h3": "title",
    "markdown.h4": "title",
    "markdown.h5": "muted",
    "markdown.h6": "muted",
    "markdown.h7": "muted",
    "markdown.link": "link",
    "markdown.link_url": "link",
    "markdown.kbd": "key",
    "markdown.table.border": "border",
    "markdown.table.header": "table.header",
    "logging.level.debug": "muted",
    "logging.level.info": "info",
    "logging.level.warning": "warning",
    "logging.level.error": "error",
    "logging.level.critical": "error",
    "log.time": "muted",
    "log.path": "muted",
    "repr.number": "accent",
    "repr.str": "success",
    "repr.url": "link",
    "repr.path": "text-ink",
    "repr.filename": "accent",
    "bar.back": "chart.muted",
    "bar.complete": "chart",
    "bar.finished": "success",
    "bar.pulse": "chart",
    "progress.percentage": "accent",
    "progress.description": "text-ink",
    "progress.download": "muted",
    "progress.elapsed": "muted",
    "progress.remaining": "muted",
    "progress.filesize": "muted",
    "progress.filesize.total": "muted",
    "progress.data.speed": "muted",
    "progress.spinner": "accent",
    "status.spinner": "accent",
}

_TOKENS = {
    "name": "Name",
    "comment": "Comment",
    "keyword": "Keyword",
    "string": "Literal.String",
    "number": "Literal.Number",
    "constant": "Name.Constant Keyword.Constant",
    "function": "Name.Function",
    "type": "Name.Class Keyword.Type Name.Exception Name.Namespace",
    "builtin": "Name.Builtin",
    "decorator": "Name.Decorator",
    "operator": "Operator",
    "punctuation": "Punctuation",
    "tag": "Name.Tag",
    "attribute": "Name.Attribute",
    "heading": "Generic.Heading Generic.Subheading",
    "inserted": "Generic.Inserted",
    "deleted": "Generic.Deleted",
    "error": "Error Generic.Error",
}


def inline(roles: Roles) -> Roles:
    """`roles` for lines between other programs' output: the ground and the plain ink are left to
    the terminal, whose own text stands above and below."""
    text = roles["text"]
    return {
        name: replace(
            role,
            fg="" if role.fg == text.fg and role.bg in ("", text.bg) else role.fg,
            bg="" if role.bg == text.bg else role.bg,
        )
        for name, role in roles.items()
    }


# ---------------------------------------------------------------------------- prompt_toolkit


def ptk_string(role: Role, over: Role | None = None) -> str:
    """A style string of prompt_toolkit; the marks of `over` that `role` has not are taken off."""
    words = [f"fg:{role.fg}"] if role.fg else []
    words += [f"bg:{role.bg}"] if role.bg else []
    words += role.attributes
    if over is not None:
        words += [f"no{mark}" for mark in over.attributes if mark not in role.attributes]
    return " ".join(words)


_EVERY_MARK = Role(bold=True, dim=True, italic=True, underline=True, reverse=True)


def ptk_rules(roles: Roles, syntax: Roles) -> list[tuple[str, str]]:
    """The rules of a prompt_toolkit `Style`: later ones win."""
    ink = roles["text"]
    # The rule without a class gives the cells that no class claims the theme's ground.
    rules = [("", ptk_string(ink))]
    for name, played in _PTK_CLASSES:
        rules.append((name, ptk_string(_over_default(name, roles[played], ink), _EVERY_MARK)))
    for name, played, place in _PTK_FILLED:
        color = getattr(roles[played], place)
        # Without colours a bar is still seen: as a reversed blank.
        rules.append(
            (name, f"bg:{color or 'default'}{'' if color or place == 'bg' else ' reverse'}")
        )
    # A theme's own roles come last, parents before children: "button" is also a class of
    # prompt_toolkit's, and a child takes off what its parent put on.
    for name in sorted(roles):
        role = _over_default(name, roles[name], ink)
        rules.append((name, ptk_string(role, roles.get(name.rpartition(".")[0]))))
    for name, role in syntax.items():
        style = ptk_string(role, _EVERY_MARK)
        rules += [(f"pygments.{token}".lower(), style) for token in _TOKENS[name].split()]
    return rules


def _over_default(name: str, role: Role, ink: Role) -> Role:
    """`role` with the plain colours where it has none and prompt_toolkit has its own for `name`:
    white on dark red would shine through otherwise."""
    from prompt_toolkit.styles import default_ui_style

    classes = " ".join(f"class:{part}" for part in name.split())
    theirs = default_ui_style().get_attrs_for_style_str(classes)
    return replace(
        role,
        fg=role.fg or ((ink.fg or "default") if theirs.color else ""),
        bg=role.bg or ((ink.bg or "default") if theirs.bgcolor else ""),
    )


def ptk_style(roles: Roles, syntax: Roles) -> BaseStyle:
    from prompt_toolkit.styles import Style

    return Style(ptk_rules(roles, syntax))


# --------------------------------------------------------------------------------------- rich

_RICH_ANSI = {ours: theirs for theirs, ours in ANSI.items()}


def rich_style(role: Role) -> RichStyle:
    """The same as a style of rich's."""
    from rich.style import Style

    # Only what is set is said: a mark that a role has not may come from what it stands in.
    return Style(
        color=_RICH_ANSI.get(role.fg, role.fg) or None,
        bgcolor=_RICH_ANSI.get(role.bg, role.bg) or None,
        bold=role.bold or None,
        dim=role.dim or None,
        italic=role.italic or None,
        underline=role.underline or None,
        reverse=role.reverse or None,
    )


def rich_theme(roles: Roles) -> RichTheme:
    from rich.style import Style
    from rich.theme import Theme

    styles: dict[str, str | Style] = {name: rich_style(role) for name, role in roles.items()}
    for name, role in _RICH_STYLES.items():
        styles[name] = Style.null() if role == "text-ink" else styles[role]
    return Theme(styles)


# ----------------------------------------------------------------------------------- Pygments


def token_styles(syntax: Roles) -> dict[Any, Role]:
    """Pygments' token types and how each looks; a type that is missing looks as its parent."""
    from pygments.token import string_to_tokentype

    return {
        string_to_tokentype(token): role
        for name, role in syntax.items()
        for token in _TOKENS[name].split()
    }


def pygments_style(title: str, roles: Roles, syntax: Roles) -> type[PygmentsStyle]:
    from pygments.style import Style
    from pygments.token import Token

    def spelled(role: Role) -> str:
        marks = [mark for mark in role.attributes if mark in ("bold", "italic", "underline")]
        return " ".join([*marks, role.fg, f"bg:{role.bg}" if role.bg else ""]).strip()

    styles = {token: spelled(role) for token, role in token_styles(syntax).items()}
    styles[Token] = roles["code"].fg or roles["text"].fg
    ground = roles["code"].bg or roles["text"].bg or "default"
    body = {"name": title, "background_color": ground, "styles": styles}
    return types.new_class("ThemeStyle", (Style,), exec_body=lambda space: space.update(body))
