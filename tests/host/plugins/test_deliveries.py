"""What brings codes another way: the operator's own delivery, or a file to try it out."""

from __future__ import annotations

from pathlib import Path

import pytest

from tuihost.errors import SettingsError
from tuihost.host.plugins.deliveries import Outbox, find_delivery
from tuihost.login import DeliveryError

NOT_ONE = "just a text"


class Pigeon:
    """Takes what it is given, and is made without arguments."""

    def send(self, account: str, subject: str, text: str) -> None:
        """Away with it."""


@pytest.mark.parametrize(
    ("reference", "reason"),
    [
        ("nowhere", "ModuleNotFoundError: No module named 'nowhere'"),
        ("nowhere.at.all:x", "ModuleNotFoundError: No module named 'nowhere'"),
        (f"{__name__}:Owl", f"module {__name__} has no 'Owl'"),
        (f"{__name__}:NOT_ONE", "`NOT_ONE` is a str, not a Delivery: it has no method `send`"),
    ],
)
def test_what_cannot_be_a_delivery_is_a_mistake_in_the_settings(
    tmp_path: Path, reference: str, reason: str
) -> None:
    with pytest.raises(SettingsError) as caught:
        find_delivery(reference, tmp_path)
    assert str(caught.value) == f"login.delivery: {reference}: {reason}"


@pytest.mark.parametrize("reference", [f"{__name__}:Pigeon", __name__])
def test_a_delivery_of_the_operators_own_is_found(tmp_path: Path, reference: str) -> None:
    assert isinstance(find_delivery(reference, tmp_path), Pigeon)
    assert find_delivery("", tmp_path) is None


def test_the_outbox_is_a_file_for_nobody_else(tmp_path: Path) -> None:
    outbox = find_delivery("outbox", tmp_path / "state")
    assert outbox is not None
    outbox.send("ada\n", "A code\x1b[31m", "1234 5678\nis your code")
    outbox.send("bob", "Another", "8765 4321")
    path = tmp_path / "state" / "outbox"
    assert path.read_text().startswith(
        "To: ada·\nSubject: A code·[31m\n\n1234 5678\nis your code\n"
    )
    assert path.read_text().endswith("To: bob\nSubject: Another\n\n8765 4321\n\n")
    assert path.stat().st_mode & 0o777 == 0o600


def test_an_outbox_that_cannot_be_written_says_so(tmp_path: Path) -> None:
    (tmp_path / "outbox").mkdir()
    with pytest.raises(DeliveryError, match=r"outbox cannot be written: Is a directory"):
        Outbox(tmp_path / "outbox").send("ada", "A code", "1234")
