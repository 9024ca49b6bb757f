"""The files of the apps by SFTP, scp and rsync: each is a program with an exit status."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tuihost.core.budget.ledger import Share
from tuihost.core.rsync_args import Refused, parse_rsync
from tuihost.errors import PeerError
from tuihost.files.client_paths import names_in
from tuihost.files.tree import Folders, Reason
from tuihost.host.access import SFTP
from tuihost.host.transfers.rsync import IDLE, RsyncRun
from tuihost.host.transfers.scp import Scp, parse_scp
from tuihost.logs import Event, EventLog
from tuihost.phrases import duration
from tuihost.ssh.sftp.server import TreeServer
from tuihost.text import clean
from tuihost.tui.running.command_stages import CommandStage
from tuihost.wire import Stream


@dataclass(frozen=True, slots=True)
class FileTransfers:
    """Serves `folders` to one person, who takes what is needed for that from `share`. Thread: their
    program's. `complain` tells them why something cannot be done."""

    folders: Folders
    stage: CommandStage
    complain: Callable[[str], None]
    log: EventLog
    share: Share

    def sftp(self) -> int:
        """The subsystem."""
        server = TreeServer(self.folders, self.stage.read, self._send, self.share, self._explain)
        try:
            server.serve()
        except PeerError as error:
            self.log.info(Event.REQUEST_REFUSED, kind=SFTP, reason=str(error))
            return 1
        return 0

    def scp(self, words: tuple[str, ...]) -> int:
        """The old protocol of scp, for a client that runs `scp` with these words."""
        args = parse_scp(words)
        if args is None:
            self.complain("scp is for copying files: scp FILE HOST:")
            return 2
        return Scp(self.folders, args, self.stage.read, self._send).run()

    def rsync(self, words: tuple[str, ...]) -> int:
        """rsync, for a client that runs `rsync` with these words."""
        try:
            args = parse_rsync(words)
            run = RsyncRun(self.folders, args, self.stage.read, self._send, self.share)
            status, errors = run.run()
        except Refused as refused:
            self.complain(str(refused))
            return 1
        if not args.sender:
            names = names_in(self.folders, args.paths[-1], new=True)
            self.folders.changed("rsync", names, run.received)
        if run.full:
            errors += f"{Reason.NO_SPACE.value}\n"
        if run.idle:
            errors += f"nothing was copied for {duration(IDLE)}\n"
        if run.too_deep:
            errors += "folders that are nested too deeply were not kept\n"
        if errors:
            self.stage.write(clean(errors, lines=True).encode(), Stream.ERR)
        return status

    def _explain(self, text: str) -> None:
        """Beside the answers of the subsystem, which a terminal has no place for."""
        if not self.stage.facts.pty:
            self.complain(text)

    def _send(self, data: bytes) -> None:
        self.stage.write(data, Stream.OUT)
