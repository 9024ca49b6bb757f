"""Mistakes in the settings are said so that they can be mended."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.settings.test_loading import problems, write
from tuihost.settings.loading import draft, load


def test_every_mistake_is_reported_at_once_with_its_line(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        """\
# a comment
[server]
prot = 8022
port = 99999
host_keys = ["a",
  3]
default_app = "Bad Name"

[limits]
idle_timeout = 3
keepalive = "often"
[apps.notes]
path = "x"
[menu]
escape = "q"
[app]
chat = 3
[logs]
format = "xml"
[logs.deeper]
""",
    )
    assert problems(path) == [
        "tuihost.toml:3: server.prot: no such setting; did you mean 'port'?",
        "tuihost.toml:4: server.port: should be 65535 or less, not 99999",
        "tuihost.toml:5: server.host_keys.1: should be a path, not 3",
        "tuihost.toml:7: server.default_app: should be an app's name: lower-case letters, digits "
        "and '-', a letter first, not 'Bad Name'",
        "tuihost.toml:10: limits.idle_timeout: no such setting; did you mean 'idle'?",
        "tuihost.toml:11: limits.keepalive: should be a number, not 'often'",
        "tuihost.toml:12: apps.notes: no such setting; the options of one app are in [app.notes]",
        "tuihost.toml:15: menu.escape: should be a key such as 'c-]' (Ctrl and ]) or 'f12'",
        "tuihost.toml:17: app.chat: should be a table, not 3",
        "tuihost.toml:19: logs.format: should be 'text' or 'json', not 'xml'",
        "tuihost.toml:20: logs.deeper: no such setting; there are format, level, file",
    ]


def test_the_nearest_name_is_told_in_tables_with_names_of_their_own(tmp_path: Path) -> None:
    path = write(tmp_path, "[roles.staff]\naps = ['x']\n[groups.crew]\nrole = []\n")
    assert problems(path) == [
        "tuihost.toml:2: roles.staff.aps: no such setting; did you mean 'apps'?",
        "tuihost.toml:4: groups.crew.role: no such setting; did you mean 'roles'?",
    ]


def test_the_name_of_a_role_or_group_is_called_so(tmp_path: Path) -> None:
    path = write(tmp_path, "[roles.'Bad Name']\n[groups.x_y]\n[app.'A b']\n")
    assert [problem.partition(": should be ")[2][:12] for problem in problems(path)] == [
        "a role's nam",
        "a group's na",
        "an app's nam",
    ]


def test_a_bound_is_written_as_people_write_it(tmp_path: Path) -> None:
    path = write(tmp_path, "[limits]\nidle = -1\nshare = 0\n")
    assert problems(path) == [
        "tuihost.toml:2: limits.idle: should be 0 or more, not -1",
        "tuihost.toml:3: limits.share: should be 0.1 or more, not 0",
    ]


@pytest.mark.parametrize(
    ("variable", "said"),
    [
        ("TUIHOST_SEVER__PORT", "no such setting; did you mean 'TUIHOST_SERVER__PORT'?"),
        ("TUIHOST_SEVER_PORT", "no such setting; did you mean 'TUIHOST_SERVER__PORT'?"),
        ("TUIHOST_SERVER__PROT", "server.prot: no such setting; did you mean 'port'?"),
        ("TUIHOST_XYZ__QQQ", "no such setting; the sections are server, login, limits, "),
    ],
)
def test_a_mistyped_variable_is_named_itself(tmp_path: Path, variable: str, said: str) -> None:
    (problem,) = problems(write(tmp_path, "[server]\nport = 1\n"), {variable: "1"})
    assert problem.startswith(f"{variable}: {said}")


@pytest.mark.parametrize("variable", ["TUIHOST_SERVER__", "TUIHOST_SERVER_"])
def test_a_variable_with_the_name_of_a_section_alone_is_told(variable: str) -> None:
    assert problems(None, {variable: "x", "TUIHOST_PORT": "tcp://10.0.0.1:22"}) == [
        f"{variable}: no such setting; a setting in [server] is written as TUIHOST_SERVER__HOST"
    ]
    (said,) = problems(None, {"TUIHOST_ROLES__": "x"})
    assert said.endswith("a setting in [roles] is written as TUIHOST_ROLES__NAME__SETTING")


def test_a_table_that_a_variable_made_is_not_blamed_on_the_file(tmp_path: Path) -> None:
    path = write(tmp_path, "[app.notes]\nx = 1\n[app]\n")
    origins = draft(path, {"TUIHOST_APP__NOTS__X": "1", "TUIHOST_APP__NOTES__Y": "1"}).origins
    assert origins.of(("app", "nots")) == "TUIHOST_APP__NOTS__X"
    assert origins.of(("app", "notes")) == f"{path}:1"


@pytest.mark.parametrize("name", ["logs.file", "accounts.secret_key", "login.terms"])
def test_an_empty_path_is_none_or_a_mistake(tmp_path: Path, name: str) -> None:
    section, _, key = name.partition(".")
    settings = load(write(tmp_path, f"[{section}]\n{key} = ''\n"), {})
    assert getattr(getattr(settings, section), key) is None
    env = {"TUIHOST_SERVER__STATE_DIR": "", "TUIHOST_APPS__FOLDERS": "['']"}
    assert problems(None, env) == [
        "TUIHOST_SERVER__STATE_DIR: server.state_dir: should not be empty",
        "TUIHOST_APPS__FOLDERS: apps.folders.0: should not be empty",
    ]


def test_keys_that_apps_need_do_not_lead_away(tmp_path: Path) -> None:
    for key, name in (("c-m", "Enter"), ("c-j", "Enter"), ("c-i", "Tab"), ("c-h", "Backspace"),
                      ("c-[", "Esc"), ("c-c", "^C")):  # fmt: skip
        path = write(tmp_path, f"[menu]\nescape = '{key}'\n")
        assert problems(path) == [
            f"tuihost.toml:2: menu.escape: should be another key: that is {name}, which apps need"
        ]


def test_no_variable_takes_the_place_of_a_table_that_is_none(tmp_path: Path) -> None:
    path = write(tmp_path, "[[server]]\nport = 1\n")
    env = {"TUIHOST_SERVER__NAME": "Harbor"}
    assert problems(path, env) == problems(path) != []


def test_mistakes_say_the_variable_or_the_option_they_came_from(tmp_path: Path) -> None:
    path = write(tmp_path, "[server]\nport = 1\n")
    env = {
        "TUIHOST_SERVER_PORT": "1",
        "TUIHOST_SERVER__HOTS": "x",
        "TUIHOST_LOGIN__GRACE": "soon",
    }
    assert problems(path, env, server__port=-1) == [
        "TUIHOST_SERVER_PORT: no such setting; did you mean 'TUIHOST_SERVER__PORT'?",
        "--port: server.port: should be 0 or more, not -1",
        "TUIHOST_SERVER__HOTS: server.hots: no such setting; did you mean 'host'?",
        "TUIHOST_LOGIN__GRACE: login.grace: should be a number, not 'soon'",
    ]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("port = 1\n", 1),
        ("[server]\n[server.inner]\n", 2),
        ("server.prot = 3\n", 1),
        ("\n\nserver = {port = 1,\tprot = 2}\n", 3),
        ("[login]\n[app.a]\n[server]\nprot = 1\n[app.b]\n", 4),
        ("[app.a]\nx = 1\n[login]\n[app]\nb = 3\n", 5),
        ("[[server]]\n", 1),
        ("server = 3", 1),
    ],
)
def test_lines_are_found_however_the_file_is_written(tmp_path: Path, text: str, line: int) -> None:
    (problem,) = problems(write(tmp_path, text))
    assert problem.startswith(f"tuihost.toml:{line}: ")


def test_a_setting_in_the_wrong_section_is_pointed_to_the_right_one(tmp_path: Path) -> None:
    (problem,) = problems(write(tmp_path, "keepalive_count = 1\n"))
    assert problem.endswith("no such setting here; it is in [limits]")
