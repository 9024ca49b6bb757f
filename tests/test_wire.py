"""Values that cross between the sides: sizes that can be drawn, addresses as they are written."""

from __future__ import annotations

import dataclasses
import inspect

import pytest

from tuihost import wire
from tuihost.wire import Peer, TcpAddress, UnixAddress, WindowSize


@pytest.mark.parametrize(
    ("asked", "size"),
    [
        ((80, 24), (80, 24)), ((0, 0), (80, 24)), ((1, 1), (1, 1)), ((0, 50), (80, 50)),
        ((4_294_967_295, 4_294_967_295), (wire.MAX_COLUMNS, wire.MAX_CELLS // wire.MAX_COLUMNS)),
    ],
)  # fmt: skip
def test_a_window_can_always_be_drawn(asked: tuple[int, int], size: tuple[int, int]) -> None:
    window = WindowSize.clamped(*asked)
    assert (window.columns, window.rows) == size
    assert window.columns * window.rows <= wire.MAX_CELLS


def test_what_is_not_said_stays_as_it_was() -> None:
    before = WindowSize(100, 30)
    assert WindowSize.clamped(0, 0, before) == before
    assert WindowSize.clamped(120, 0, before) == WindowSize(120, 30)


@pytest.mark.parametrize(
    ("address", "text"),
    [
        (TcpAddress("localhost", 22), "localhost:22"), (TcpAddress("::1", 22), "[::1]:22"),
        (UnixAddress("/run/x"), "/run/x"), (Peer("203.0.113.7", 9), "203.0.113.7:9"),
        (Peer("2001:db8::1", 9), "[2001:db8::1]:9"),
    ],
)  # fmt: skip
def test_addresses_are_written_as_everywhere(address: object, text: str) -> None:
    assert str(address) == text


def test_every_value_is_frozen() -> None:
    values = [
        kind
        for _, kind in inspect.getmembers(wire, inspect.isclass)
        if kind.__module__ == wire.__name__ and dataclasses.is_dataclass(kind)
    ]
    assert len(values) > 20
    for kind in values:
        assert kind.__dataclass_params__.frozen, kind
        assert "__slots__" in vars(kind), kind
