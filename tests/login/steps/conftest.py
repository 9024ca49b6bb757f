"""Services for steps, with two accounts."""

from __future__ import annotations

import pytest

from tests.login.steps.people import GOOD, SECRET
from tuihost.testing.steps import FakeServices


@pytest.fixture
def services() -> FakeServices:
    fake = FakeServices()
    fake.add("ada", GOOD, SECRET)
    fake.add("bob", GOOD)
    return fake
