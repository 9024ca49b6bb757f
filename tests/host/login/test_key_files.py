"""Keys that lie in files: which lines of them count."""

from __future__ import annotations

from pathlib import Path

import paramiko
import pytest

from tests.log import SILENT, kept_log
from tuihost.core.keys.certificates import Certificate
from tuihost.core.keys.offers import KeyOffer, fingerprint
from tuihost.errors import SettingsError
from tuihost.host.login import _key_files
from tuihost.host.login._key_files import KeyFiles
from tuihost.host.login.services import _check_folders
from tuihost.settings.loading import load
from tuihost.wire import Restrictions

NOW = 1_800_000_000.0


@pytest.fixture(scope="module")
def authority() -> paramiko.PKey:
    return paramiko.ECDSAKey.generate(bits=256)


class Bench:
    """A host that trusts the authorities in one file."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "authorities"
        self._log, self.records = kept_log()
        self._settings = {"server.state_dir": str(folder), "login.trusted_ca": [str(self.file)]}

    def write(self, text: str) -> None:
        self.file.write_text(text)
        self.file.chmod(0o600)

    def files(self) -> KeyFiles:
        return KeyFiles(load(None, {}, self._settings), self._log)


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def line(key: paramiko.PKey, options: str = "") -> str:
    return f"{options} {key.get_name()} {key.get_base64()} the authority\n".lstrip()


def lets_in(files: KeyFiles, authority: paramiko.PKey) -> bool:
    certificate = Certificate(b"ada's", authority.asbytes(), principals=("ada",))
    offer = KeyOffer("ssh-ed25519", b"with it", fingerprint(b"ada's"), certificate)
    found = files.judge("ada", (), offer, address="192.0.2.7", now=NOW)
    return isinstance(found, Restrictions)


@pytest.mark.parametrize("options", ["", "cert-authority"])
def test_an_authority_is_trusted(bench: Bench, authority: paramiko.PKey, options: str) -> None:
    bench.write(f"# ours\n{line(authority, options)}")
    assert lets_in(bench.files(), authority)


@pytest.mark.parametrize(
    "options",
    [
        'from="198.51.100.*"',
        'cert-authority,from="198.51.100.*"',
        'cert-authority,principals="admin"',
        'expiry-time="20200101"',
        'command="status"',
        "restrict",
        "no-touch-required",
    ],
)
def test_options_of_an_authority_are_told_of_and_not_passed_over(
    bench: Bench, authority: paramiko.PKey, options: str
) -> None:
    bench.write(line(authority, options))
    with pytest.raises(SettingsError, match="has options, which count in authorized_keys only"):
        bench.files()
    bench.write(line(authority))
    files = bench.files()
    assert lets_in(files, authority)
    bench.write(line(authority, options))  # while the host runs
    assert not lets_in(files, authority)
    assert "has options" in bench.records.wait_for("keys.broken")["reason"]


def test_an_authority_that_others_could_have_written_is_none(
    bench: Bench, authority: paramiko.PKey
) -> None:
    bench.write(line(authority))
    files = bench.files()
    assert lets_in(files, authority)
    bench.file.chmod(0o666)
    assert not lets_in(files, authority)
    bench.file.chmod(0o600)
    bench.file.parent.chmod(0o777)  # where another file can take its name
    assert not lets_in(files, authority)
    bench.file.parent.chmod(0o700)
    bench.file.unlink()
    assert not lets_in(files, authority)
    with pytest.raises(SettingsError, match="No such file"):
        bench.files()


def test_a_relative_path_starts_at_the_settings_file_and_an_absent_folder_is_told(
    bench: Bench, authority: paramiko.PKey, tmp_path: Path
) -> None:
    settings = tmp_path / "tuihost.toml"
    settings.write_text("[server]\nstate_dir = 'state'\n[login]\nauthorized_keys = ['keys/%u']\n")
    made = KeyFiles(load(settings, {}), bench._log)
    told = f"{tmp_path}/keys: there is no such folder, so no key in it lets anybody in"
    assert told in str(bench.records.named("keys.broken"))
    (tmp_path / "keys").mkdir()
    (tmp_path / "keys" / "ada").write_text(line(authority))
    (tmp_path / "keys" / "ada").chmod(0o600)
    offer = KeyOffer(authority.get_name(), authority.asbytes(), "x")

    def let_in() -> bool:
        found = made.judge("ada", (), offer, address="192.0.2.7", now=NOW)
        return isinstance(found, Restrictions)

    assert let_in()
    (tmp_path / "keys").chmod(0o777)  # where somebody can give their own file her name
    assert not let_in()
    cure = f"{tmp_path}/keys: others can write to it; run chmod go-w on it, so no key in it"
    assert cure in str(bench.records.named("keys.broken"))
    with pytest.raises(SettingsError, match=r"login\.authorized_keys: .*/keys: others can write"):
        _check_folders((f"{tmp_path}/keys/%u",))


def test_a_folder_that_goes_while_the_host_runs_is_told(bench: Bench, tmp_path: Path) -> None:
    keys = tmp_path / "keys"
    keys.mkdir()
    given = {"server.state_dir": str(tmp_path), "login.authorized_keys": [f"{keys}/%u"]}
    made = KeyFiles(load(None, {}, given), bench._log)
    assert not bench.records.named("keys.broken")
    keys.rmdir()
    made.judge("ada", (), KeyOffer("x", b"x", "x"), address="192.0.2.7", now=NOW)
    (told,) = bench.records.named("keys.broken")
    assert "there is no such folder" in str(told)


def test_a_change_counts_even_if_the_file_looks_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The clock of a file system stands still for some milliseconds."""
    monkeypatch.setattr(_key_files, "_state_of", lambda about: (about.st_size,))
    keys = [paramiko.ECDSAKey.generate(bits=256) for _ in range(2)]
    offers = [KeyOffer(key.get_name(), key.asbytes(), "x") for key in keys]
    given = {"server.state_dir": str(tmp_path), "login.authorized_keys": [f"{tmp_path}/%u"]}
    files = KeyFiles(load(None, {}, given), SILENT)
    for written in (0, 1, 0):
        (tmp_path / "ada").write_text(line(keys[written]))
        (tmp_path / "ada").chmod(0o600)
        for number, offer in enumerate(offers):
            found = files.judge("ada", (), offer, address="192.0.2.7", now=NOW)
            assert isinstance(found, Restrictions) is (number == written)


def test_a_file_is_read_again_only_if_it_has_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_key_files, "SETTLED", -1.0)
    monkeypatch.setattr(_key_files, "MAX_KEPT", 4)
    read: list[str] = []
    bytes_of = _key_files._bytes_of

    def counted(path: Path, *limit: int) -> bytes:
        read.append(path.name)
        return bytes_of(path, *limit)

    monkeypatch.setattr(_key_files, "_bytes_of", counted)
    given = {"server.state_dir": str(tmp_path), "login.authorized_keys": [f"{tmp_path}/%u"]}
    files = KeyFiles(load(None, {}, given), SILENT)
    offer = KeyOffer("ssh-ed25519", b"x" * 51, "x")

    def look(name: str) -> None:
        files.judge(name, (), offer, address="192.0.2.7", now=NOW)

    for name in ("ada", "bob", "cai"):
        (tmp_path / name).write_text(line(paramiko.ECDSAKey.generate(bits=256)))
        (tmp_path / name).chmod(0o600)
    for _ in range(3):
        look("ada")
        look("bob")
        look("nobody")
    assert read == ["ada", "bob"]
    (tmp_path / "ada").chmod(0o666)
    look("ada")
    assert read == ["ada", "bob", "ada"]
    look("cai")  # more lines than are kept: the file that was asked for first is forgotten
    look("bob")
    assert read[3:] == ["cai", "bob"]
