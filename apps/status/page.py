"""How the host is doing, as a page for a browser: `ssh -L 8080:status:80 HOST`."""

from __future__ import annotations

from html import escape
from json import dumps

from tuihost import Page, WebRequest, counted, duration, size_of

from .people import Person
from .samples import Sample
from .words import percent

STYLE = """
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif }
body { max-width: 44rem; margin: 3rem auto; padding: 0 1rem }
h1 { font-size: 1.4rem; margin: 0 } p { opacity: .7; margin: .2rem 0 2rem }
dl { display: grid; grid-template-columns: repeat(auto-fit, minmax(9rem, 1fr)); gap: 1rem }
dl div { border: 1px solid #8884; border-radius: .5rem; padding: .6rem .9rem }
dt { opacity: .7; font-size: .85rem } dd { margin: 0; font-size: 1.2rem }
table { width: 100%; border-collapse: collapse; margin-top: 2rem }
th, td { text-align: left; padding: .35rem .5rem; border-bottom: 1px solid #8884 }
th { opacity: .7; font-weight: normal; font-size: .85rem }
"""
SAFE = (("content-security-policy", "default-src 'none'; style-src 'unsafe-inline'"),)
REFRESH = 5  # seconds


def page(request: WebRequest, name: str, sample: Sample, here: list[Person], data: object) -> Page:
    """What a browser gets. `data` is the same for programs, at /status.json."""
    if request.method not in ("GET", "HEAD"):
        return Page("This page can only be read.\n", 405, "text/plain", (("allow", "GET, HEAD"),))
    match request.path:
        case "/":
            return Page(_html(name, sample, here), headers=SAFE)
        case "/status.json":
            return Page(dumps(data, indent=2), kind="application/json")
        case _:
            return Page("There is nothing here. The page is at /\n", 404, "text/plain")


def _html(name: str, sample: Sample, here: list[Person]) -> str:
    facts = {
        "Up": duration(sample.uptime, units=2, short=True),
        "CPU": percent(sample.cpu),
        "Load": f"{sample.load[0]:.2f}",
        "Memory": size_of(sample.memory),
        "Sessions": str(sample.sessions),
        "Connections": str(sample.connections),
        "Threads": str(sample.threads),
    }
    boxes = "".join(f"<div><dt>{label}<dd>{escape(text)}</div>" for label, text in facts.items())
    rows = "".join(
        f"<tr><td>{escape(person.name)}<td>{escape(person.title)}<td>{person.here_text}"
        f"<td>{person.idle_text}"
        for person in here
    )
    table = f"<table><tr><th>Who<th>In<th>Here<th>Idle{rows}</table>" if here else ""
    stuck = f" {counted(sample.stuck, 'thread')} got stuck." if sample.stuck else ""
    return (
        f"<!doctype html><html lang=en><meta charset=utf-8><title>{escape(name)}</title>"
        f"<meta name=viewport content='width=device-width'>"
        f"<meta http-equiv=refresh content={REFRESH}><style>{STYLE}</style>"
        f"<h1>{escape(name)}</h1><p>How the host is doing, and who is here.{stuck}</p>"
        f"<dl>{boxes}</dl>{table}"
    )
