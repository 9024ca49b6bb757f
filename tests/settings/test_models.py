"""Settings: where they come from, which goes before which, and how mistakes are said."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tuihost.errors import SettingsError
from tuihost.settings import pages as settings_doc
from tuihost.settings.models import MAX_FILE, Settings, load


def write(folder: Path, text: str) -> Path:
    path = folder / "tuihost.toml"
    path.write_text(text, encoding="utf-8")
    return path


def problems(path: Path | None, env: dict[str, str] | None = None, **options: object) -> list[str]:
    with pytest.raises(SettingsError) as caught:
        load(path, env, {name.replace("__", "."): value for name, value in options.items()})
    found = list(caught.value.problems)
    prefix = f"{path.parent}/" if path is not None else ""
    return [one.removeprefix(prefix) for one in found]


def test_without_a_file_everything_has_a_default() -> None:
    settings = load(None, {})
    assert settings.server.host == "127.0.0.1"
    assert settings.server.port == 8022
    assert settings.server.host_keys == (settings.server.state_dir / "host_ed25519",)
    assert settings.apps.enabled == ("*",)
    assert settings.app == {}


def test_file_environment_and_options_go_before_each_other(tmp_path: Path) -> None:
    path = write(tmp_path, "[server]\nport = 1\nname = 'file'\n[login]\ngrace = 5\n")
    env = {"TUIHOST_SERVER__PORT": "2", "TUIHOST_SERVER__NAME": "env", "OTHER": "x"}
    settings = load(path, env, {"server.port": 3, "server.name": None})
    assert (settings.server.port, settings.server.name, settings.login.grace) == (3, "env", 5.0)


def test_the_environment_can_say_lists_booleans_and_options_of_apps() -> None:
    env = {
        "TUIHOST_APPS__ENABLED": "menu, notes",
        "TUIHOST_APPS__MODULES": '["a:b"]',
        "TUIHOST_LOGIN__GUESTS": "false",
        "TUIHOST_APP__NOTES__PER_PERSON": "5",
        "TUIHOST_APP__MY_APP__DEEP__ER": '{"x": 1}',
        "TUIHOST_SERVER": "not ours",
        "TUIHOST_CONFIG": "/somewhere",
    }
    settings = load(None, env)
    assert settings.apps.enabled == ("menu", "notes")
    assert settings.apps.modules == ("a:b",)
    assert settings.login.guests is False
    assert settings.app == {"notes": {"per_person": "5"}, "my-app": {"deep": {"er": {"x": 1}}}}


def test_relative_paths_are_relative_to_the_file(tmp_path: Path) -> None:
    path = write(
        tmp_path, "[server]\nstate_dir = 'state'\n[apps]\nfolders = ['mine', '/abs', '~/x']\n"
    )
    settings = load(path, {})
    assert settings.server.state_dir == tmp_path / "state"
    assert settings.server.host_keys == (tmp_path / "state" / "host_ed25519",)
    assert settings.apps.folders == (tmp_path / "mine", Path("/abs"), Path.home() / "x")


def test_settings_cannot_be_changed() -> None:
    settings = load(None, {})
    with pytest.raises(ValueError, match="frozen"):
        settings.server.port = 1  # type: ignore[misc]


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
        "tuihost.toml:7: server.default_app: should be an app's name: small letters, digits and "
        "'-', a letter first, not 'Bad Name'",
        "tuihost.toml:10: limits.idle_timeout: no such setting; did you mean 'idle'?",
        "tuihost.toml:11: limits.keepalive: should be a number, not 'often'",
        "tuihost.toml:12: apps.notes: no such setting; the options of one app stand in [app.notes]",
        "tuihost.toml:15: menu.escape: should be a key such as 'c-]' (Ctrl and ]) or 'f12'",
        "tuihost.toml:17: app.chat: should be a table, not 3",
        "tuihost.toml:19: logs.format: should be 'text' or 'json', not 'xml'",
        "tuihost.toml:20: logs.deeper: no such setting; there are format, level, file",
    ]


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
    assert problem.endswith("no such setting here; it stands in [limits]")


def test_syntax_errors_have_line_and_column(tmp_path: Path) -> None:
    (problem,) = problems(write(tmp_path, "[server]\nport = = 3\n"))
    assert problem.startswith("tuihost.toml:2:8: ")
    (problem,) = problems(write(tmp_path, "[server]\nname = 'x"))
    assert problem.startswith("tuihost.toml:2")


def test_files_that_cannot_be_settings_are_one_sentence(tmp_path: Path) -> None:
    missing, large, latin = tmp_path / "missing", tmp_path / "large", tmp_path / "latin"
    large.write_bytes(b"#" * (MAX_FILE * 10))
    latin.write_bytes(b"[server]\nname = 'caf\xe9'\n")
    deep = write(tmp_path, "x = " + "[" * 5000)
    assert problems(missing) == ["missing: there is no such file"]
    assert problems(large) == ["large: is larger than 1.0 MB, too large for a settings file"]
    assert problems(latin) == ["latin:2: is not UTF-8 text"]
    assert len(problems(deep)) == 1
    with pytest.raises(SettingsError, match="is a folder, not a file"):
        load(tmp_path, {})
    with pytest.raises(SettingsError, match="cannot be read"):
        load(Path("a\0b"), {})


def test_byte_order_marks_and_carriage_returns_do_no_harm(tmp_path: Path) -> None:
    path = tmp_path / "tuihost.toml"
    path.write_bytes(b"\xef\xbb\xbf[server]\r\nport = 1\r\nprot = 1\r\n")
    (problem,) = problems(path)
    assert problem.startswith("tuihost.toml:3: ")


@given(st.text(max_size=200), st.dictionaries(st.text(max_size=20), st.text(max_size=20)))
def test_fuzz_no_text_and_no_environment_raises_anything_else(
    text: str, names: dict[str, str]
) -> None:
    env = {f"TUIHOST_{name}": value for name, value in names.items()}
    env |= {f"TUIHOST_SERVER__{name.upper()}": value for name, value in names.items()}
    try:
        tomllib.loads(text)
        load(None, env)
    except (SettingsError, tomllib.TOMLDecodeError):
        pass


def test_the_example_says_the_defaults_and_sets_what_was_chosen(tmp_path: Path) -> None:
    assert load(write(tmp_path, settings_doc.example()), {}) == load(None, {})
    settings = load(write(tmp_path, settings_doc.example({"server.port": 22})), {})
    assert settings.server.port == 22


def test_the_comments_of_the_example_are_settings_that_work(tmp_path: Path) -> None:
    lines = settings_doc.example().splitlines()
    active = [line[1:] if line.startswith("#") and line[1:2] != " " else line for line in lines]
    settings = load(write(tmp_path, "\n".join(active)), {})
    given = settings.model_dump(exclude={"app"})
    assert set(given) == set(Settings.model_fields) - {"app"}
    assert settings.app == {"notes": {"per_person": 200}}


def test_every_setting_has_a_help_text() -> None:
    for name, section in settings_doc._sections():
        assert section.__doc__, name
        for key, field in section.model_fields.items():
            assert field.description, f"{name}.{key}"
            assert field.description.endswith("."), f"{name}.{key}"


def test_the_page_in_the_docs_is_up_to_date() -> None:
    page = Path(__file__).parents[2] / "docs" / "settings.md"
    assert page.read_text("utf-8") == settings_doc.page(), "run `make docs`"
