"""What the documents say is true: their code runs, their names exist, their lists are complete."""

from __future__ import annotations

import ast
import inspect
import re
import shlex
import sys
import textwrap
import tomllib
import types
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import click
import pytest
from click.testing import CliRunner
from pydantic import BaseModel

from tests import bounds
from tests.house import FLOOR_NAMES, FLOORS
from tests.log import SILENT
from tests.tui.screen import make_session
from tuihost import App, Session
from tuihost.cli.main import cli
from tuihost.core.gate.penalties import Offence
from tuihost.core.keys import options as key_options
from tuihost.core.keys.offers import KINDS
from tuihost.core.login.authentication import MAX_PROBES, MAX_REQUESTS, MAX_ROUNDS
from tuihost.core.login.chains import NONE, PASSWORD, PUBLICKEY
from tuihost.host.gate.gate import GateRules
from tuihost.host.login.services import LoginServices
from tuihost.host.plugins.app_catalog import ENTRY_POINTS
from tuihost.host.plugins.step_catalog import StepCatalog
from tuihost.host.server.server import limits_of
from tuihost.login import Attempt, StepServices
from tuihost.login.steps import bundled_steps
from tuihost.logs import Event
from tuihost.settings.loading import load
from tuihost.settings.models import Accounts, Login, Role, Settings, Sources
from tuihost.ssh.packets import algorithms as kex
from tuihost.testing import Hosted, Outcome, hosted
from tuihost.testing.fixtures import tuihost_host as tuihost_host
from tuihost.theme.contrast import too_faint
from tuihost.theme.roles import DECORATION, GLYPHS, PALETTE, ROLES, SYNTAX
from tuihost.theme.theme import parse_theme

AUTHORITY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI" + "A" * 43 + " authority\n"
"""A line as in a `.pub` file."""
ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
PAGES = sorted([*ROOT.glob("*.md"), *DOCS.glob("*.md")])
RUN = [ROOT / "README.md", DOCS / "writing-apps.md", DOCS / "login-steps.md"]
"""Pages whose Python is run."""


@dataclass(frozen=True, slots=True)
class Block:
    """One fenced block. `line` is that of its first line, from one."""

    page: Path
    line: int
    kind: str
    text: str


def blocks(page: Path, kind: str) -> list[Block]:
    found = []
    fenced = re.compile(r"^```(\w*)[^\n]*\n(.*?)^```$", re.MULTILINE | re.DOTALL)
    text = page.read_text("utf-8")
    for match in fenced.finditer(text):
        if match[1] == kind:
            line = text.count("\n", 0, match.start(2)) + 1
            found.append(Block(page, line, kind, match[2]))
    return found


def prose(page: Path) -> str:
    """The page without its blocks."""
    return re.sub(r"^```.*?^```$", "", page.read_text("utf-8"), flags=re.MULTILINE | re.DOTALL)


def rows(page: Path, heading: str) -> list[list[str]]:
    """The cells of the first table under a heading."""
    _, _, rest = page.read_text("utf-8").partition(f"\n{heading}\n")
    assert rest, f"{page.name} has no heading {heading!r}"
    lines = rest.partition("\n#")[0].splitlines()
    table = [line for line in lines if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in table[2:]]


def quoted(cell: str) -> list[str]:
    """The words between backquotes."""
    return re.findall(r"`([^`]+)`", cell)


def name(page: Path) -> str:
    return str(page.relative_to(ROOT))


# ------------------------------------------------------------------------------------- code


@pytest.fixture(params=RUN, ids=name)
def page(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[types.ModuleType]:
    """A page of documents as a module: its blocks one after the other. Its file has the blocks at
    the lines of the page, for helper processes, which import it."""
    module = types.ModuleType("page")
    module.page = request.param  # type: ignore[attr-defined]
    module.__file__ = str(tmp_path / "page.py")
    sys.modules["page"] = module
    code: list[str] = []
    for block in blocks(request.param, "python"):
        if not block.text.startswith("# examples/"):
            # Line numbers are the page's, so that a trace points into it.
            source = "\n" * (block.line - 1) + block.text
            exec(compile(source, str(block.page), "exec"), vars(module))
            code += [""] * (block.line - 1 - len(code)) + block.text.splitlines()
    Path(module.__file__).write_text("\n".join(code), "utf-8")
    yield module
    del sys.modules["page"]


def apps_of(page: types.ModuleType) -> list[App]:
    """The apps that a page defines, made anew."""
    made: list[App] = []
    for value in vars(page).values():
        if isinstance(value, App):
            made.append(value)
        elif isinstance(value, type) and issubclass(value, App) and value.__module__ == "page":
            made.append(value())
    return made


def test_the_python_of_a_page_runs_and_its_tests_pass(
    page: types.ModuleType, request: pytest.FixtureRequest
) -> None:
    tests = [value for key, value in vars(page).items() if key.startswith("test_")]
    for test in tests:
        wanted = inspect.signature(test).parameters
        test(**{one: request.getfixturevalue(one) for one in wanted})


def test_console_blocks_show_what_commands_really_say(page: types.ModuleType) -> None:
    apps = apps_of(page)
    if not apps:
        return
    with hosted(*apps, bundled=True) as host:
        for block in blocks(page.page, "console"):
            for typed, shown in dialogues(block.text):
                done = said(host, typed)
                where = f"{block.page.name}:{block.line}: {typed}"
                if shown and done is not None:
                    assert done.text + done.errors == shown, where
                elif done is not None:
                    assert (done.status, done.errors) == (0, ""), where


def dialogues(text: str) -> Iterator[tuple[str, str]]:
    """What is typed in a console block after each `$`, and what is shown below it."""
    for part in re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]:
        typed, _, shown = part.partition("\n")
        yield typed, shown


def said(host: Hosted, typed: str) -> Outcome | None:
    """What a line of a console block says; None where it opens a screen or is another program."""
    piped = re.fullmatch(r"(?:printf '(.*)' \| )?ssh -p 8022 localhost (\S.*)", typed)
    if piped is None:
        return None
    stdin = (piped[1] or "").encode().decode("unicode_escape").encode()
    return host.run(piped[2], stdin=stdin)


@pytest.mark.parametrize("path", PAGES, ids=name)
def test_command_lines_of_tuihost_are_ones_that_there_are(path: Path) -> None:
    for block in blocks(path, "console"):
        for typed, _ in dialogues(block.text):
            words = [word for word in shlex.split(typed) if not word.startswith("TUIHOST_")]
            if words[0] != "tuihost":
                continue
            options = [one for one in words[2:] if one.startswith("--")]
            shown = CliRunner().invoke(cli, [*command_in(words[1:]), "--help"])
            assert shown.exit_code == 0, f"{path.name}:{block.line}: {shown.output}"
            assert all(option in shown.output for option in options), typed


def command_in(words: list[str]) -> list[str]:
    """The words that name a command, of a line that begins with one."""
    found: list[str] = []
    command: click.Command | None = cli
    for word in words:
        if not isinstance(command, click.Group):
            break
        command = command.get_command(click.Context(command), word)
        if command is not None:
            found.append(word)
    return found or words[:1]


@pytest.mark.parametrize("path", PAGES, ids=name)
def test_quotes_from_the_examples_are_quotes(path: Path) -> None:
    for block in blocks(path, "python"):
        if block.text.startswith("# examples/"):
            first, _, quote = block.text.partition("\n")
            source = (ROOT / first.removeprefix("# ")).read_text("utf-8")
            assert quote in source, f"{path.name}:{block.line} is not in {first}"


@pytest.mark.parametrize("path", PAGES, ids=name)
def test_blocks_of_toml_are_what_they_look_like(path: Path, tmp_path: Path) -> None:
    theme = ""
    for block in blocks(path, "toml"):
        if "[palette]" in block.text:
            theme = block.text
        if "[palette]" in block.text or "[syntax]" in block.text:
            more = "" if block.text == theme else block.text  # it goes on with the one above
            assert not too_faint(parse_theme(theme + more, "mine", f"{path.name}:{block.line}"))
        elif "[project]" in block.text:
            project = tomllib.loads(block.text)["project"]
            assert list(project["entry-points"]) == [ENTRY_POINTS]
        else:
            file = tmp_path / "tuihost.toml"
            file.write_text(block.text, "utf-8")
            load(file, {}, None)


@pytest.mark.parametrize("page_name", ["logging-in.md", "login-steps.md"])
def test_recipes_for_logins_are_ones_that_a_host_takes(page_name: str, tmp_path: Path) -> None:
    """Not only read: every factor in a chain is there, every network and file is one."""
    log = SILENT
    folder = tmp_path / "steps"
    folder.mkdir()
    (folder / "motto.py").write_text(blocks(DOCS / "login-steps.md", "python")[0].text, "utf-8")
    (tmp_path / "terms.txt").write_text("Mind the step.", "utf-8")
    (tmp_path / "ca.pub").write_text(AUTHORITY, "utf-8")
    (tmp_path / "revoked.krl").write_text("", "utf-8")
    found = blocks(DOCS / page_name, "toml")
    assert found
    for block in found:
        file = tmp_path / "tuihost.toml"
        file.write_text(block.text, "utf-8")
        settings = load(file, {}, {"server.state_dir": str(tmp_path)})
        GateRules.of(settings, limits_of(settings))
        steps = StepCatalog.of(settings, log)
        assert not steps.broken, steps.broken
        LoginServices(settings, steps.steps, log).close()


def test_the_default_chains_are_shown() -> None:
    text = (DOCS / "logging-in.md").read_text("utf-8").partition("These are the\ndefaults.")[2]
    shown = text.partition("```toml\n")[2].partition("```")[0]
    assert tuple(tomllib.loads(shown)["login"]["chains"]) == Login().chains


def test_python_of_other_pages_is_python() -> None:
    for path in PAGES:
        for block in blocks(path, "python"):
            text = re.sub(r"\A# examples/.*\n", "", block.text)
            ast.parse(textwrap.dedent(text), f"{path.name}:{block.line}")


# ------------------------------------------------------------------------------------- links


def anchors(page: Path) -> set[str]:
    """The places in a page that can be linked to, as GitHub names them."""
    headings = re.findall(r"^#+ (.+)$", prose(page), re.MULTILINE)
    plain = (re.sub(r"[^\w\s-]", "", heading.lower()) for heading in headings)
    return {heading.strip().replace(" ", "-") for heading in plain}


@pytest.mark.parametrize("path", PAGES, ids=name)
def test_links_lead_somewhere(path: Path) -> None:
    wrong = []
    for target in re.findall(r"\]\(([^)\s]+)\)", prose(path)):
        if target.startswith(("https://", "mailto:")):
            continue
        file, _, anchor = target.partition("#")
        there = (path.parent / file).resolve() if file else path
        if not there.exists() or (anchor and anchor not in anchors(there)):
            wrong.append(target)
    assert not wrong, f"{path.name} links to what is not there: {wrong}"


def test_the_index_names_every_page() -> None:
    linked = set(re.findall(r"\]\(([\w-]+\.md)", (DOCS / "index.md").read_text("utf-8")))
    assert linked == {page.name for page in DOCS.glob("*.md")} - {"index.md"}


@pytest.mark.parametrize("path", PAGES, ids=name)
def test_tests_that_a_page_names_exist(path: Path) -> None:
    for file, test in re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", path.read_text("utf-8")):
        assert (ROOT / file).is_file(), f"{path.name} names {file}"
        text = (ROOT / file).read_text("utf-8")
        assert re.search(rf"^(async )?def {test}\(", text, re.MULTILINE), f"{file}::{test}"


@pytest.mark.parametrize("path", PAGES, ids=name)
def test_modules_that_a_page_names_exist(path: Path) -> None:
    for module in re.findall(r"`tuihost/([\w/]+)(?:\.py|/)`", path.read_text("utf-8")):
        there = ROOT / "tuihost" / module
        assert there.is_dir() or there.with_suffix(".py").is_file(), f"tuihost/{module}"


@pytest.mark.parametrize("path", PAGES, ids=name)
def test_settings_that_a_page_names_exist(path: Path) -> None:
    sections = {key: field.annotation for key, field in Settings.model_fields.items()}
    for section, key in re.findall(r"`([a-z_]+)\.([a-z_]+)`", prose(path)):
        model: Any = Role if section == "roles" else sections.get(section)
        if section not in ("app", "apps") and hasattr(model, "model_fields"):
            assert key in model.model_fields, f"{path.name} names the setting {section}.{key}"


def test_promises_name_their_tests() -> None:
    """Every paragraph and every item of the page of promises ends in the test that shows it."""
    text = (DOCS / "server-behaviour.md").read_text("utf-8").partition("\n## ")[2]
    items = [one for one in re.split(r"\n(?=- )|\n\n", text) if one.startswith("- ")]
    assert len(items) > 30
    assert [one for one in items if "`tests/" not in one] == []


# ------------------------------------------------------------------------------------- lists


def test_every_event_is_explained_and_every_explained_event_exists() -> None:
    explained = [quoted(row[0])[0] for row in event_rows()]
    assert sorted(explained) == sorted(event.value for event in Event)


def test_the_bounds_of_people_are_those_of_the_code() -> None:
    page = bounds.PAGE.read_text("utf-8")
    assert bounds.written(page) == page, "make docs"
    assert bounds.table() in page


def event_rows() -> list[list[str]]:
    headings = re.findall(r"^(## .+)$", (DOCS / "logs.md").read_text("utf-8"), re.MULTILINE)
    tables = [rows(DOCS / "logs.md", heading) for heading in headings]
    return [row for table in tables for row in table if len(row) == 4]


def test_every_event_is_logged_somewhere_with_the_fields_that_are_explained() -> None:
    logged = events_in_source()
    for row in event_rows():
        event, fields_said = quoted(row[0])[0], set(quoted(row[2]))
        assert event in logged, f"nothing logs {event}"
        missing = logged[event] - fields_said
        assert not missing, f"docs/logs.md does not explain {missing} of {event}"


def events_in_source() -> dict[str, set[str]]:
    """The names of the fields that the source gives to each event, by event."""
    found: dict[str, set[str]] = {}
    for path in (ROOT / "tuihost").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and node.args:
                event = node.args[0]
                text = ast.unparse(event)
                if isinstance(event, ast.Attribute) and text.startswith("Event."):
                    names = {word.arg for word in node.keywords if word.arg}
                    found.setdefault(Event[event.attr].value, set()).update(names - {"trace"})
    return found


def table_of(heading: str, page: str = "themes.md") -> dict[str, list[str]]:
    return {quoted(row[0])[0]: row[1:] for row in rows(DOCS / page, heading)}


def test_the_tables_of_a_theme_are_those_of_the_code() -> None:
    assert {key: row[0] for key, row in table_of("## Palette").items()} == PALETTE
    roles = table_of("## Roles")
    assert {key: row[0].strip("`") for key, row in roles.items()} == ROLES
    assert all(row[1] for row in roles.values()), "every role says what it is for"
    assert {key for key, row in roles.items() if "decoration" in row[1]} == DECORATION
    syntax = {key: row[0].strip("`") for key, row in table_of("## Source code").items()}
    assert syntax == SYNTAX
    glyphs = {key: (row[0][1:-1], row[1][1:-1]) for key, row in table_of("## Glyphs").items()}
    written = {key: tuple(one.replace("|", "\\|") for one in pair) for key, pair in GLYPHS.items()}
    assert glyphs == written


def test_no_word_of_the_design_has_two_meanings() -> None:
    named = [
        word.strip() for row in rows(DOCS / "design.md", "## Words") for word in row[0].split(",")
    ]
    meanings = [row[1] for row in rows(DOCS / "design.md", "## Words")]
    assert sorted(named) == sorted(set(named))
    assert len(meanings) == len(set(meanings)) > 15


def test_the_floors_of_the_design_are_those_that_are_enforced() -> None:
    shown = rows(DOCS / "design.md", "## Floors")
    names = dict(enumerate(FLOOR_NAMES))
    assert [row[0] for row in shown] == [f"{floor} {names[floor]}" for floor in sorted(names)[::-1]]
    floors = {
        path.removesuffix("/__init__.py").removesuffix(".py").strip("/").replace("/", "."): floor
        for row, floor in zip(shown, sorted(names)[::-1], strict=True)
        for path in quoted(row[1])
    }
    assert floors == FLOORS


def test_the_algorithms_are_those_that_are_offered() -> None:
    table = {row[0]: quoted(row[1]) for row in rows(DOCS / "security.md", "## Algorithms")}
    offered = [kex.KEX, kex.HOST_KEYS, kex.CIPHERS, kex.MACS]
    # Where the library has no ML-KEM it is left out, and the page says so.
    known = [[one for one in names if "mlkem" not in one] for names in table.values()]
    assert known == [[one for one in names if "mlkem" not in one] for names in offered]


def test_every_factor_is_explained_and_every_explained_factor_exists() -> None:
    bundled = {step.name for step in bundled_steps()}
    factors = set(table_of("## Factors", "logging-in.md"))
    assert factors == bundled | {NONE, PASSWORD, PUBLICKEY}


def test_every_option_of_a_key_is_explained_and_every_explained_one_is_known() -> None:
    section = (DOCS / "logging-in.md").read_text("utf-8").partition("\n## Keys\n")[2]
    kinds, options = re.findall(r"(?:^\|.*\n)+", section.partition("\n## ")[0], re.MULTILINE)
    known = {*key_options._FLAGS, *key_options._VALUES}
    explained = [one.lower() for one in first_cells(options)]
    assert (set(explained), len(explained)) == (known, len(known))
    assert first_cells(kinds) == list(KINDS)


def first_cells(table: str) -> list[str]:
    return [quoted(line)[0] for line in table.splitlines()[2:]]


def test_the_tries_of_one_connection_are_those_of_the_code() -> None:
    table = {row[0]: row[1] for row in rows(DOCS / "logging-in.md", "### In one connection")}
    assert [value for name, value in table.items() if name.startswith("failures")] == [
        f"`login.max_tries` ({Login().max_tries})"
    ]
    numbers = [int(value) for value in table.values() if value.isdigit()]
    assert numbers == [MAX_PROBES, MAX_REQUESTS, MAX_ROUNDS]


def test_every_offence_is_explained_with_its_price() -> None:
    prices = table_of("## Too many wrong tries", "logging-in.md")
    assert {label: float(row[0]) for label, row in prices.items()} == {
        one.label: one.seconds for one in Offence
    }


def test_every_command_about_accounts_is_explained() -> None:
    explained = {tuple(one.split()[1:]) for one in table_of("## Accounts", "logging-in.md")}
    assert explained == {path for path in commands(cli) if path[0] in ("user", "invite")}


def commands(group: click.Group, *above: str) -> Iterator[tuple[str, ...]]:
    """Every command that is no group, by its words."""
    for word in group.list_commands(click.Context(group)):
        command = group.get_command(click.Context(group), word)
        if isinstance(command, click.Group):
            yield from commands(command, *above, word)
        else:
            yield (*above, word)


def test_every_setting_about_logins_is_spoken_of() -> None:
    """`test_settings_that_a_page_names_exist` is the other way round."""
    text = prose(DOCS / "logging-in.md")
    sections: list[tuple[str, type[BaseModel]]] = [
        ("login", Login),
        ("sources", Sources),
        ("accounts", Accounts),
    ]
    wanted = [f"{name}.{key}" for name, model in sections for key in model.model_fields]
    assert [one for one in wanted if f"`{one}`" not in text] == []


def test_an_attempt_and_its_services_are_explained_as_they_are() -> None:
    page = (DOCS / "login-steps.md").read_text("utf-8").partition("\n## What a step knows\n")[2]
    attempt, services = re.findall(r"(?:^\|.*\n)+", page.partition("\n## ")[0], re.MULTILINE)
    assert set(first_cells(attempt)) == {one.name for one in fields(Attempt)} | {"account"}
    assert set(first_cells(services)) == {one for one in vars(StepServices) if one[0] != "_"}


def test_a_session_is_explained_as_it_is() -> None:
    table = rows(DOCS / "writing-apps.md", "## What a session gives")
    explained = {one for row in table for one in quoted(row[0])}
    members = set(vars(make_session())) | set(vars(Session))
    public = {one for one in members if not one.startswith("_")} - {"stage"}
    assert explained == public


def test_every_subcommand_is_in_the_readme() -> None:
    table = rows(ROOT / "README.md", "## Commands")
    named = {quoted(row[0])[0].split()[1] for row in table}
    assert named == set(cli.list_commands(None))  # type: ignore[arg-type]


# ------------------------------------------------------------------------------------- pictures


@pytest.mark.parametrize("path", sorted((DOCS / "images").glob("*.svg")), ids=name)
def test_a_picture_is_small_and_needs_nothing_beside_itself(path: Path) -> None:
    text = path.read_text("utf-8")
    assert len(text.encode()) < 40_000
    root = ElementTree.fromstring(text)
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    assert "href" not in text
    assert "url(" not in text
    words = "".join(root.itertext())
    assert "harbor" in words


def test_the_pictures_can_be_made_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(DOCS))
    import make_images  # type: ignore[import-not-found]

    made: Callable[[], Iterator[tuple[str, str]]] = make_images.pictures
    contents = dict(made())
    assert set(contents) == {path.name for path in (DOCS / "images").glob("*.svg")}
    for text in contents.values():
        ElementTree.fromstring(text)
