"""What roles give, and what groups bring."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from tuihost.core.login.rights import FileRight, Rights, rights_of, roles_with_groups
from tuihost.wire import TcpAddress, UnixAddress


@pytest.mark.parametrize(
    ("guest", "roles", "table", "expected"),
    [
        (True, (), {}, Rights()),
        (False, ("staff",), {}, Rights()),
        (False, (), {"guest": Rights(apps=("a",))}, Rights()),
        (True, (), {"guest": Rights(apps=("a",))}, Rights(apps=("a",))),
        # A guest has no other role, whatever somebody wrote.
        (True, ("staff",), {"guest": Rights(()), "staff": Rights()}, Rights((), ("*",))),
        (
            False,
            ("staff", "other"),
            {"user": Rights(("a",), ("a *",)), "staff": Rights(("b", "a"), (), ("db:5432",))},
            Rights(("a", "b"), ("a *",), ("db:5432",)),
        ),
        # An account is not a guest, even if it has a role of that name.
        (False, ("guest",), {"guest": Rights(("g",)), "user": Rights(("a",))}, Rights(("a",))),
        (False, (), {"staff": Rights(forwards=("*",))}, Rights()),
    ],
)
def test_somebody_may_what_any_of_their_roles_may(
    guest: bool, roles: tuple[str, ...], table: dict[str, Rights], expected: Rights
) -> None:
    assert rights_of(table, guest=guest, roles=roles) == expected


@dataclass(frozen=True)
class Said(Rights):
    """A role as the settings may say it."""

    # Settings may leave these out, where rights never do: so mypy sees a wider type.
    read_files: tuple[str, ...] | None = None  # type: ignore[assignment]
    write_files: tuple[str, ...] | None = None  # type: ignore[assignment]


@pytest.mark.parametrize(
    ("role", "notes", "files"),
    [
        (Said(), FileRight.WRITE, FileRight.WRITE),
        (Said(commands=("notes *", "*")), FileRight.WRITE, FileRight.WRITE),
        (Said(commands=("notes *",)), FileRight.NONE, FileRight.NONE),
        (Said(commands=()), FileRight.NONE, FileRight.NONE),
        (Said(read_files=()), FileRight.WRITE, FileRight.WRITE),
        (Said(write_files=()), FileRight.READ, FileRight.READ),
        (Said(read_files=("n*",), write_files=()), FileRight.READ, FileRight.NONE),
        (Said(commands=(), read_files=("*",)), FileRight.READ, FileRight.READ),
        (Said(commands=(), write_files=("files",)), FileRight.NONE, FileRight.WRITE),
        (Said(apps=("files",)), FileRight.NONE, FileRight.WRITE),
    ],
)
def test_files_have_rights_of_their_own(role: Said, notes: FileRight, files: FileRight) -> None:
    rights = rights_of({"guest": role}, guest=True, roles=())
    assert (rights.files("notes"), rights.files("files")) == (notes, files)


def test_the_files_of_several_roles_add_up() -> None:
    table = {"user": Said(commands=()), "a": Said(commands=(), read_files=("notes",))}
    assert rights_of(table, guest=False, roles=("a",)).files("notes") is FileRight.READ
    assert rights_of(table, guest=False, roles=()).files("notes") is FileRight.NONE


def test_patterns() -> None:
    rights = Rights(("notes", "work-*"), ("notes *", "work-a list"), ("db*:5432",))
    assert [rights.app(name) for name in ("notes", "work-x", "menu")] == [True, True, False]
    assert rights.command("notes", "add")
    assert rights.command("work-a", "list")
    assert not rights.command("work-a", "delete")
    assert not rights.command("menu", "list")
    assert rights.forward(TcpAddress("db1", 5432))
    assert not rights.forward(TcpAddress("db1", 22))
    assert not Rights().forward(TcpAddress("localhost", 80))
    assert not Rights(apps=()).command("notes", "add")
    assert Rights(listens=("*:8080",)).listen(TcpAddress("localhost", 8080))
    assert not Rights(listens=("*:8080",)).listen(TcpAddress("localhost", 80))
    assert not Rights().listen(TcpAddress("localhost", 8080))


def test_a_socket_is_listed_by_its_path() -> None:
    rights = Rights(forwards=("/run/*.sock",), listens=("*:*", "::1:80"))
    assert rights.forward(UnixAddress("/run/a.sock"))
    assert not rights.forward(TcpAddress("/run/a.sock", 0))
    assert not rights.listen(UnixAddress("/run/a.sock"))
    assert rights.listen(TcpAddress("::1", 80))


@dataclass(frozen=True)
class Group:
    """What a group gives."""

    roles: tuple[str, ...]


@pytest.mark.parametrize(
    ("roles", "groups", "expected"),
    [
        (set(), [], set()),
        ({"staff"}, [], {"staff"}),
        ({"staff"}, ["vaults"], {"staff", "keeper"}),
        (set(), ["vaults", "ops"], {"keeper", "admin"}),
        ({"keeper"}, ["vaults"], {"keeper"}),
        (set(), ["unknown"], set()),
        # A group makes no guest of an account; what its own record says is not looked at here.
        (set(), ["guests"], {"reader"}),
    ],
)
def test_a_group_gives_its_roles(roles: set[str], groups: list[str], expected: set[str]) -> None:
    table = {
        "vaults": Group(("keeper",)),
        "ops": Group(("admin", "keeper")),
        "guests": Group(("guest", "reader")),
    }
    assert roles_with_groups(frozenset(roles), groups, table) == expected
