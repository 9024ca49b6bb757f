"""Where the operator has the front door, read from the app's options."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from tuihost import AppLoadError

from .listener import Where

_PLACE = re.compile(r"(?:\[(?P<six>[0-9A-Fa-f:]+)\]|(?P<host>[^:\[\]]+)):(?P<port>\d{1,5})")
_DOMAIN = re.compile(r"[a-z0-9-]+(?:\.[a-z0-9-]+)*")


def where_of(options: Mapping[str, Any]) -> Where | None:
    """None where the options name no place to listen on. Raises `AppLoadError`."""
    listen = options.get("listen", "")
    if listen == "":
        return None
    place = _PLACE.fullmatch(listen) if isinstance(listen, str) else None
    if place is None or int(place["port"]) > 65_535:
        raise AppLoadError("'listen' should be an address and a port: \"127.0.0.1:8080\"")
    domain = options.get("domain", "localhost")
    if not isinstance(domain, str) or not _DOMAIN.fullmatch(domain):
        raise AppLoadError("'domain' should be a domain in small letters: \"example.org\"")
    scheme = options.get("scheme", "http")
    if scheme not in ("http", "https"):
        raise AppLoadError('\'scheme\' should be "http" or "https"')
    port = options.get("port")
    if port is not None and (not isinstance(port, int) or not 0 < port < 65_536):
        raise AppLoadError("'port' should be a number up to 65535")
    return Where(place["six"] or place["host"], int(place["port"]), domain, scheme, port)
