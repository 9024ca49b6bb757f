"""Where the settings come from, and which goes before which."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tuihost.errors import SettingsError
from tuihost.settings.loading import MAX_FILE, load


def write(folder: Path, text: str) -> Path:
    path = folder / "tuihost.toml"
    path.write_text(text, encoding="utf-8")
    return path


def problems(path: Path | None, env: dict[str, str] | None = None, **options: object) -> list[str]:
    with pytest.raises(SettingsError) as caught:
        load(path, env, {name.replace("__", "."): value for name, value in options.items()})
    found = list(caught.value.problems)
    prefix = f"{path.parent}/" if path is not None else ""
    return [problem.removeprefix(prefix) for problem in found]


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


@pytest.mark.parametrize(
    ("text", "chains"),
    [
        ("publickey", ("publickey",)),
        ("publickey, totp;", ("publickey, totp",)),
        ("publickey, totp; password", ("publickey, totp", "password")),
        ('["publickey, totp"]', ("publickey, totp",)),
        ("['publickey, totp', 'password']", ("publickey, totp", "password")),
        ('[["publickey", "totp"], ["password"]]', ("publickey, totp", "password")),
    ],
)
def test_the_environment_can_say_chains(text: str, chains: tuple[str, ...]) -> None:
    env = {"TUIHOST_LOGIN__CHAINS": text, "TUIHOST_LOGIN__APP_CHAINS__MY_VAULT": text}
    settings = load(None, env)
    assert settings.login.chains == chains
    assert settings.login.app_chains == {"my-vault": chains}


def test_chains_in_which_commas_could_mean_either_are_refused(tmp_path: Path) -> None:
    reason = (
        "should have ';' after each chain, as ',' is between the factors of one: 'publickey, totp' "
        "could be one chain, which is written with ';' at its end, or several: 'publickey; totp'"
    )
    text = "publickey,totp"
    (problem,) = problems(None, {"TUIHOST_LOGIN__CHAINS": text})
    assert problem == f"TUIHOST_LOGIN__CHAINS: login.chains: {reason}"
    (problem,) = problems(None, {"TUIHOST_LOGIN__APP_CHAINS__VAULT": text})
    assert problem == f"TUIHOST_LOGIN__APP_CHAINS__VAULT: login.app_chains.vault: {reason}"
    (problem,) = problems(write(tmp_path, f"[login]\nchains = '{text}'\n"))
    assert problem == f"tuihost.toml:2: login.chains: {reason}"


def test_a_list_with_half_of_its_marks_is_refused() -> None:
    for text in ("[a, b]", '["a", "b"'):
        (problem,) = problems(None, {"TUIHOST_LOGIN__GUEST_NAMES": text})
        assert problem.endswith("should be a list such as ['a', 'b'], or without brackets: a, b")
    settings = load(None, {"TUIHOST_FORWARDING__DIAL": "[::1]:80, [::2]:80"})
    assert settings.forwarding.dial == ("[::1]:80", "[::2]:80")


def test_only_the_environment_says_numbers_and_truth_as_text(tmp_path: Path) -> None:
    path = write(tmp_path, "[login]\nguests = 'no'\n[limits]\nmemory = '512'\nshare = '2'\n")
    assert problems(path) == [
        "tuihost.toml:2: login.guests: should be true or false, not 'no'",
        "tuihost.toml:4: limits.memory: should be a whole number, not '512'",
        "tuihost.toml:5: limits.share: should be a number, not '2'",
    ]
    env = {"TUIHOST_LOGIN__GUESTS": "no", "TUIHOST_LIMITS__MEMORY": "600"}
    settings = load(write(tmp_path, ""), env)
    assert (settings.login.guests, settings.limits.memory) == (False, 600)


def test_relative_paths_are_relative_to_the_file(tmp_path: Path) -> None:
    path = write(
        tmp_path, "[server]\nstate_dir = 'state'\n[apps]\nfolders = ['mine', '/abs', '~/x']\n"
    )
    settings = load(path, {})
    assert settings.server.state_dir == tmp_path / "state"
    assert settings.server.host_keys == (tmp_path / "state" / "host_ed25519",)
    assert settings.apps.folders == (tmp_path / "mine", Path("/abs"), Path.home() / "x")


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
    tmp_path_factory: pytest.TempPathFactory, text: str, names: dict[str, str]
) -> None:
    path = tmp_path_factory.getbasetemp() / "fuzz.toml"
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    env = {f"TUIHOST_{name}": value for name, value in names.items()}
    env |= {f"TUIHOST_SERVER__{name.upper()}": value for name, value in names.items()}
    for file in (path, None):
        with contextlib.suppress(SettingsError):
            assert load(file, env).server.name
