"""Where browsers come in for tunnels, read from the app's options."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tuihost import AppLoadError, TcpAddress

_ADDRESS = re.compile(r"(?:\[(?P<six>[0-9A-Fa-f:]+)\]|(?P<host>[^:\[\]]+)):(?P<port>\d{1,5})")
_HOST = re.compile(r"(?P<name>[a-z0-9.-]+?)\.?(?::[0-9]{0,5})?")
_DOMAIN = re.compile(r"[a-z0-9-]+(?:\.[a-z0-9-]+)*")


@dataclass(frozen=True, slots=True)
class WebFront:
    """Where browsers come in, and what the world calls that. `port` is the one in people's
    addresses, where it differs from the one that is listened on."""

    listen: TcpAddress
    domain: str
    scheme: str = "http"
    port: int | None = None

    def url(self, name: str, bound: int) -> str:
        """The address of the tunnel `name`; `bound` is the port that is listened on."""
        port = self.port if self.port is not None else bound
        usual = {"http": 80, "https": 443}[self.scheme]
        return f"{self.scheme}://{name}.{self.domain}{'' if port == usual else f':{port}'}/"

    def name_of(self, host: str) -> str | None:
        """The tunnel's name in what a browser sends as `Host`."""
        found = _HOST.fullmatch(host.lower())
        if found is None:
            return None
        name, _, domain = found["name"].partition(".")
        return name if domain == self.domain and name else None


def web_front_of(options: Mapping[str, Any]) -> WebFront | None:
    """None if the options name no address to listen on. Raises `AppLoadError`."""
    listen = options.get("listen", "")
    if listen == "":
        return None
    found = _ADDRESS.fullmatch(listen) if isinstance(listen, str) else None
    if found is None or int(found["port"]) > 65_535:
        raise AppLoadError("'listen' should be an address and a port: \"127.0.0.1:8080\"")
    domain = options.get("domain", "localhost")
    if not isinstance(domain, str) or not _DOMAIN.fullmatch(domain):
        raise AppLoadError("'domain' should be a domain in lower-case letters: \"example.org\"")
    scheme = options.get("scheme", "http")
    if scheme not in ("http", "https"):
        raise AppLoadError('\'scheme\' should be "http" or "https"')
    port = options.get("port")
    if port is not None and (not isinstance(port, int) or not 0 < port < 65_536):
        raise AppLoadError("'port' should be a number up to 65535")
    address = TcpAddress(found["six"] or found["host"], int(found["port"]))
    return WebFront(address, domain, scheme, port)
