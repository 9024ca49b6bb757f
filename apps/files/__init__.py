"""Your files on this host, your own and shared ones: on a screen, and by `sftp` and `scp`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from tuihost import App, Folders, Session, clean, counted, size_of

from .commands import FileCommands
from .folders import APP, NOT_YOURS, AllFolders, mistakes_in, roles_named_in
from .trees import all_files

if TYPE_CHECKING:
    from prompt_toolkit.application import Application


class Files(FileCommands, App):
    """Look at, read, move and delete your files. `sftp` and `scp` show the same ones."""

    name = APP
    title = "Files"
    description = "Your files here, your own and shared ones"
    group = "Everyday"
    icon = "▣"
    order = 30
    known_options = {
        "quota": int,
        "guest_quota": int,
        "guests_quota": int,
        "entries": int,
        "bin_days": int,
        "shared": list,
    }
    default_command = "ls"

    def start(self) -> None:
        self.folders = AllFolders(self.data, self.options)

    def option_mistakes(self, options: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
        return mistakes_in(options)

    def roles_in(self, options: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
        return (("shared", role) for role in roles_named_in(options))

    def files(self, session: Session) -> Folders:
        account = session.account
        allowed = session.host.allowed_files(account, self.name, self.folders.tree_of(account))
        assert isinstance(allowed, Folders), "what is allowed of folders are folders"
        return allowed

    def build(self, session: Session) -> Application[Any]:
        from .screen import FilesScreen

        return FilesScreen(session, all_files(session), self.folders).app

    async def talk(self, session: Session) -> int:
        """The files, as lines."""
        tree = all_files(session)
        if not tree.list(()):
            await session.say(NOT_YOURS)
            return 1
        found = tree.list(tree.home)
        folders = sum(info.folder for info in found)
        counts = ((len(found) - folders, "file"), (folders, "folder"))
        here = " and ".join(counted(count, what) for count, what in counts if count)
        await session.say(f"You have {here or 'no files'} here.")
        for info in found:
            kind = "folder" if info.folder else size_of(info.size)
            await session.say(f"{clean(info.name, limit=200)}, {kind}")
        target = session.ssh_target
        await session.say(f"Copy files with sftp or scp, or see: ssh {target} files --help")
        return 0


app = Files()
