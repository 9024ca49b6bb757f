"""The listening sockets of a host. What else a server does is tested together with the gate."""

from __future__ import annotations

import socket
from typing import Any

import pytest

from tuihost.host.server import server


def test_a_link_local_address_is_listened_on_with_its_interface(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    listened: list[Any] = []

    class Made:
        def setblocking(self, flag: bool) -> None:
            pass

    def create(address: Any, **options: Any) -> Made:
        listened.append(address)
        return Made()

    monkeypatch.setattr(socket, "create_server", create)
    assert len(server._listen("fe80::1%1", 8022)) == 1
    assert listened == [("fe80::1", 8022, 0, 1)]
