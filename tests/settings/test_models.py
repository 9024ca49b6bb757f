"""The models of the settings: frozen, and every one of them explained."""

from __future__ import annotations

import pytest

from tuihost.settings.models import Section, Settings


def test_settings_cannot_be_changed() -> None:
    settings = Settings()
    with pytest.raises(ValueError, match="frozen"):
        settings.server.port = 1  # type: ignore[misc]


def test_every_setting_has_a_help_text() -> None:
    for name, field in Settings.model_fields.items():
        section = field.annotation
        if not (isinstance(section, type) and issubclass(section, Section)):
            assert field.description, name
            continue
        assert section.__doc__, name
        for key, inner in section.model_fields.items():
            assert inner.description, f"{name}.{key}"
            assert inner.description.endswith("."), f"{name}.{key}"


@pytest.mark.parametrize(
    ("section", "value", "said"),
    [
        ("menu", {"escape": "c-m"}, "should be another key: that is Enter, which apps need"),
        ("login", {"invite_name": "a b"}, "should be a name that an account can have, or empty"),
        ("login", {"chains": "publickey, totp"}, "should have ';' after each chain"),
        ("forwarding", {"dial": ["x"]}, "'x': should be host:port, address:port, network:port"),
    ],
)
def test_a_wrong_value_says_what_it_should_be(
    section: str, value: dict[str, object], said: str
) -> None:
    with pytest.raises(ValueError, match=said):
        Settings.model_validate({section: value})
