"""The host, live: how it is doing, and who is here."""

from __future__ import annotations

from json import dumps
from typing import Any

from prompt_toolkit.application import Application
from rich.table import Table

from tuihost import (
    Accepts,
    App,
    Forward,
    ForwardRule,
    Page,
    Session,
    WebRequest,
    clean,
    command,
    counted,
    duration,
    iso_time,
    serve_pages,
    size_of,
)

from .page import page
from .people import BrowserViewer, Person, people
from .samples import Sample, Sampler
from .screen import StatusScreen
from .words import NEW, percent


class Status(App):
    """How the host is doing, and who is here."""

    name = "status"
    title = "Status"
    group = "Host"
    icon = "◔"
    order = 80
    accepts = Accepts(forwards=(ForwardRule("status", 80),))
    known_options = ()
    default_command = "now"

    def start(self) -> None:
        self.sampler = Sampler()
        self.sampler.watch(self)

    def stop(self) -> None:
        self.sampler.close()

    def build(self, session: Session) -> Application[Any]:
        return StatusScreen(session, self.sampler).application()

    async def talk(self, session: Session) -> int:
        """The facts as sentences, for people who have them read out."""
        now = self.sampler.look(session)
        here = people(session)
        last, five, fifteen = now.load
        await session.say(
            f"{clean(session.host.name)} has been up for {duration(now.uptime, units=2)}. "
            f"It has {counted(now.sessions, 'session')} over "
            f"{counted(now.connections, 'connection')} now, "
            f"and {counted(now.sessions_total, 'session')} since it started.\n"
            f"The load of the machine is {last:.2f} over the last minute, {five:.2f} over five "
            f"and {fifteen:.2f} over fifteen.\n"
            f"The host uses {size_of(now.memory)} of memory and {counted(now.threads, 'thread')}"
            + (f", {now.stuck} of which got stuck." if now.stuck else ".")
        )
        for person in here:
            here_for = f"here for {duration(person.here)}" if person.here >= NEW else "just arrived"
            idle = f", idle for {duration(person.idle)}" if person.idle_text else ""
            await session.say(
                f"{clean(person.name, limit=60)} is in {clean(person.title, limit=40)}, "
                f"{here_for}{idle}."
            )
        return 0

    def forward(self, forward: Forward) -> None:
        """The page for browsers: `ssh -L 8080:status:80 HOST`."""
        viewer = BrowserViewer(forward.account, forward.view)

        def respond(request: WebRequest) -> Page:
            sample, here = self.sampler.look(viewer), people(viewer)
            data = {**_sample_data(sample), "people": [_person_data(person) for person in here]}
            return page(request, forward.view.name, sample, here, data)

        serve_pages(forward.stream, respond)

    @command
    def now(self, session: Session, *, json: bool = False) -> None:
        """Show how the host is doing now. CPU is in percent of one processor."""
        sample = self.sampler.look(session)
        if json:
            session.print(dumps(_sample_data(sample), indent=2))
            return
        stuck = f", {sample.stuck} stuck" if sample.stuck else ""
        facts = {
            "Up": duration(sample.uptime, units=2, short=True),
            "CPU": _cpu(sample),
            "Load": "  ".join(f"{load:.2f}" for load in sample.load),
            "Memory": size_of(sample.memory),
            "Sessions": f"{sample.sessions}, {sample.sessions_total} since it started",
            "Connections": f"{sample.connections}",
            "Threads": f"{sample.threads}{stuck}",
        }
        for label, text in facts.items():
            session.print(f"{label:<13}{text}")

    @command
    def people(self, session: Session, *, json: bool = False) -> None:
        """Show who is here, longest first."""
        here = people(session)
        if json:
            session.print(dumps([_person_data(person) for person in here], indent=2))
            return
        if not here:
            session.print("Nobody is on a screen here.")
            return
        table = Table(box=None, pad_edge=False, header_style="table.header")
        for title in ("Who", "In", "Here", "Idle", "Window"):
            table.add_column(title)
        for person in here:
            table.add_row(
                clean(person.name),
                clean(person.title),
                person.here_text,
                person.idle_text,
                person.window,
            )
        session.print(table)


def _cpu(sample: Sample) -> str:
    """The CPU now, or all that the process has used if there is no sample of a moment ago."""
    if sample.cpu is not None:
        return percent(sample.cpu)
    return f"{sample.cpu_seconds:.1f} s since it started"


def _sample_data(sample: Sample) -> dict[str, Any]:
    return {
        "uptime_seconds": round(sample.uptime, 1),
        "cpu_percent": None if sample.cpu is None else round(sample.cpu, 1),
        "cpu_seconds": round(sample.cpu_seconds, 2),
        "load": [round(load, 2) for load in sample.load],
        "memory_bytes": sample.memory,
        "sessions": sample.sessions,
        "sessions_total": sample.sessions_total,
        "connections": sample.connections,
        "threads": sample.threads,
        "stuck_threads": sample.stuck,
    }


def _person_data(person: Person) -> dict[str, Any]:
    columns, rows = person.size or (None, None)
    data = {
        "user": person.user,
        "guest": person.guest,
        "app": person.app,
        "since": iso_time(person.since),
        "idle_seconds": round(person.idle),
        "columns": columns,
        "rows": rows,
    }
    return {**data, "address": person.address} if person.address else data


app = Status()
