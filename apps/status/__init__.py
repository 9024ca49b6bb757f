"""The host itself, live: how it is, and who is here."""

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
    serve_pages,
    size_of,
)

from .page import page
from .people import Browser, Person, people
from .samples import Sample, Sampler
from .screen import StatusScreen
from .words import percent


class Status(App):
    """How the host is, and who is here."""

    name = "status"
    title = "Status"
    group = "Host"
    icon = "◔"
    order = 80
    accepts = Accepts(forwards=(ForwardRule("status", 80),))

    def start(self) -> None:
        self.sampler = Sampler()

    def build(self, session: Session) -> Application[Any]:
        return StatusScreen(session, self.sampler).application()

    async def talk(self, session: Session) -> int:
        """The facts as sentences, for those who listen to them."""
        now = self.sampler.look(session)
        here = people(session)
        one, five, fifteen = now.load
        await session.say(
            f"{clean(session.host.name)} has been up for {duration(now.uptime, units=2)}. "
            f"It has {counted(now.sessions, 'session')} over "
            f"{counted(now.connections, 'connection')} now, "
            f"and had {counted(now.sessions_total, 'session')} since its start.\n"
            f"The load of the machine is {one:.2f} over the last minute, {five:.2f} over five "
            f"and {fifteen:.2f} over fifteen.\n"
            f"The host uses {size_of(now.memory)} of memory and {counted(now.threads, 'thread')}"
            + (f", of which {now.stuck} got stuck." if now.stuck else ".")
        )
        for person in here:
            idle = f", idle for {duration(person.idle)}" if person.idle_text else ""
            await session.say(
                f"{clean(person.name, limit=60)} is in {clean(person.title, limit=40)}, "
                f"here for {duration(person.here)}{idle}."
            )
        return 0

    def forward(self, forward: Forward) -> None:
        """The page for browsers: `ssh -L 8080:status:80 HOST`."""

        looks = Browser(forward.account, forward.view)

        def respond(request: WebRequest) -> Page:
            sample, here = self.sampler.look(looks), people(looks)
            data = {**_sample_data(sample), "people": [_person_data(one) for one in here]}
            return page(request, forward.view.name, sample, here, data)

        serve_pages(forward.stream, respond)

    @command
    def now(self, session: Session, *, json: bool = False) -> None:
        """Shows how the host is now. The CPU is in per cent of one processor."""
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
            "Sessions": f"{sample.sessions}, {sample.sessions_total} since the start",
            "Connections": f"{sample.connections}",
            "Threads": f"{sample.threads}{stuck}",
        }
        for label, text in facts.items():
            session.print(f"{label:<13}{text}")

    @command
    def people(self, session: Session, *, json: bool = False) -> None:
        """Lists the people who are here, longest first."""
        here = people(session)
        if json:
            session.print(dumps([_person_data(one) for one in here], indent=2))
            return
        if not here:
            session.print("Nobody is at a screen here.")
            return
        table = Table(box=None, pad_edge=False, header_style="table.header")
        for title in ("Who", "In", "Here", "Idle", "Window"):
            table.add_column(title)
        for one in here:
            table.add_row(
                clean(one.name),
                clean(one.title),
                duration(one.here, short=True),
                one.idle_text,
                one.window,
            )
        session.print(table)


def _cpu(sample: Sample) -> str:
    """The CPU now; if nobody looked a moment ago, what the process has used in all."""
    if sample.cpu is not None:
        return percent(sample.cpu)
    return f"{sample.cpu_seconds:.1f} s since the start"


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


def _person_data(one: Person) -> dict[str, Any]:
    columns, rows = one.size or (None, None)
    data = {
        "user": one.user,
        "guest": one.guest,
        "app": one.app,
        "since": round(one.since),
        "idle_seconds": round(one.idle),
        "columns": columns,
        "rows": rows,
    }
    return {**data, "address": one.address} if one.address else data


app = Status()
