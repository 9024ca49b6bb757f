"""The settings as text: a file to start from, and the page `docs/settings.md`.

Both are made from the models, so they cannot say anything else.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, get_args, get_origin

from pydantic.fields import FieldInfo

from tuihost.settings._values import Unit
from tuihost.settings.loading import ENV_PREFIX
from tuihost.settings.models import Group, Role, Section, Settings
from tuihost.settings.toml import written

_HOST_KEYS = "state_dir/host_ed25519"

_PAGE = """\
# Settings

tuihost reads one file in [TOML](https://toml.io), `tuihost.toml`. `tuihost init` writes one with
every setting in it, and `tuihost check` says what is wrong with one, all at once.

A setting can also come from the environment, as `TUIHOST_`, the section, two underscores and the
name: `TUIHOST_SERVER__PORT=2222`. Lists are written with commas, `a, b`. Between chains, which are
lists themselves, there are semicolons: `TUIHOST_LOGIN__CHAINS="publickey, totp; password, totp"`. A
single chain of several factors ends with one: `"publickey, totp;"`. Lists and tables can be written
as in the file, too: `["publickey, totp"]`. The environment overrides the file, and an option of the
command line overrides both.

A relative path starts at the folder of the settings file (in `accounts.url`, at `state_dir`), and
`~` is the home folder of the user that the host runs as. Paths in the options of a bundled app
begin with `/` or `~`.

Below each table is an example of every setting in it. The values there are examples, not advice.

This page is made from the code by `make docs`.
"""

_APP_TABLES = """
## `[app.NAME]`

Options of the app NAME, as its author describes them. The app finds them in `options`.

```toml
[app.files]
quota = 200  # MB for each account
```
"""


def page() -> str:
    """`docs/settings.md`."""
    parts = [_PAGE]
    for name, section in _sections():
        parts.append(f"\n## `[{name}]`\n\n{_about(section)}\n\n")
        parts.append(
            "| name | default | values | what it is | environment |\n|---|---|---|---|---|\n"
        )
        for key, field in section.model_fields.items():
            variable = f"{ENV_PREFIX}{name}__{key}".upper()
            parts.append(f"{_row(key, field)} `{variable}` |\n")
        parts.append(_examples(name, section))
    for name, section, named in (("roles", Role, "staff"), ("groups", Group, "teachers")):
        about = f"{_about(section)} {Settings.model_fields[name].description}"
        parts.append(f"\n## `[{name}.NAME]`\n\n{about}\n\n")
        parts.append("| name | default | values | what it is |\n|---|---|---|---|\n")
        parts += [f"{_row(key, field)}\n" for key, field in section.model_fields.items()]
        parts.append(_examples(f"{name}.{named}", section))
    parts.append(_APP_TABLES)
    return "".join(parts)


def _row(key: str, field: FieldInfo) -> str:
    cells = (f"`{key}`", _shown_default(key, field), values_of(field), field.description or "")
    return f"| {' | '.join(cells)} |"


def _examples(name: str, section: type[Section]) -> str:
    """One for each setting of the section."""
    lines = [
        f"{key} = {written(field.examples[0])}"
        for key, field in section.model_fields.items()
        if field.examples
    ]
    return "\n".join(["", "```toml", f"[{name}]", *lines, "```", ""])


def values_of(field: FieldInfo) -> str:
    """Which values a setting takes: the kind, the unit and the bounds."""
    kind = _kind(field.annotation)
    units = [each.name for each in field.metadata if isinstance(each, Unit)]
    bounds = {
        name: getattr(each, name)
        for each in field.metadata
        for name in ("ge", "gt", "le", "min_length", "max_length")
        if getattr(each, name, None) is not None
    }
    if "le" in bounds:
        lowest = f"more than {bounds['gt']:,}" if "gt" in bounds else f"{bounds['ge']:,}"
        kind = f"{lowest} to {bounds['le']:,}"
    elif "max_length" in bounds:
        kind = f"{kind}, at most {bounds['max_length']:,} characters"
    elif "min_length" in bounds:
        kind = f"{kind}, at least one"
    return " ".join([kind, *units])


_KINDS: Mapping[Any, str] = {
    bool: "`true` or `false`",
    int: "a whole number",
    float: "a number",
    str: "text",
    Path: "a path",
    tuple: "a list",
    dict: "a table",
}


def _kind(annotation: Any) -> str:
    choices = [choice for choice in get_args(annotation) if isinstance(choice, str)]
    if choices:
        return " or ".join(f"`{choice}`" for choice in choices)
    kind = get_origin(annotation) or annotation
    if kind not in _KINDS:  # one that may be left out
        return _kind(next(part for part in get_args(annotation) if part is not type(None)))
    return _KINDS[kind]


def example(values: Mapping[str, Any] | None = None) -> str:
    """A settings file with every setting: `values` (by dotted name) are set, the others are
    comments with their defaults."""
    chosen = values or {}
    parts = ["# Settings of a tuihost host. `tuihost check` says whether they are right.\n"]
    for name, section in _sections():
        parts.append(f"\n# {_about(section)}\n[{name}]\n")
        for key, field in section.model_fields.items():
            parts.append(f"# {field.description} ({values_of(field).replace('`', '')})\n")
            dotted = f"{name}.{key}"
            if dotted in chosen:
                parts.append(f"{key} = {written(chosen[dotted])}\n")
            else:
                parts.append(f"#{key} = {written(_default(key, field))}\n")
    parts.append(
        '\n# What roles may use, one table each.\n#[roles.guest]\n#apps = ["menu", "about"]\n'
    )
    parts.append(
        "\n# Roles that everybody in a group has, one table each.\n"
        '#[groups.teachers]\n#roles = ["staff"]\n'
    )
    parts.append("\n# Options of single apps, one table each.\n#[app.files]\n#quota = 200\n")
    return "".join(parts)


def _sections() -> Iterator[tuple[str, type[Section]]]:
    for name, field in Settings.model_fields.items():
        kind = field.annotation
        if isinstance(kind, type) and issubclass(kind, Section):
            yield name, kind


def _about(section: type[Section]) -> str:
    return " ".join((section.__doc__ or "").split())


def _default(key: str, field: FieldInfo) -> Any:
    """The default as the operator would write it, the same on every machine."""
    match key:
        case "state_dir":
            return "~/.local/state/tuihost"
        case "host_keys":
            return [_HOST_KEYS]
        case "file":
            return "tuihost.log"
        case "revoked_keys" | "terms" | "secret_key":
            return f"{key}.txt" if key == "terms" else key
    return field.default


def _shown_default(key: str, field: FieldInfo) -> str:
    match key:
        case "file":
            return "standard error"
        case "revoked_keys" | "terms" | "secret_key":
            return "none"
        case "read_files" | "write_files":
            return "all or none"
    return f"`{written(_default(key, field))}`".replace("|", "\\|")


if __name__ == "__main__":
    sys.stdout.write(page())
