"""The test kit for pytest: the fixture `tuihost_host`, which makes hosts and closes them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tuihost.testing.hosted import Hosted


@pytest.fixture
def tuihost_host() -> Iterator[Callable[..., Hosted]]:
    """Call it with apps, like `tuihost.testing.hosted`. Its hosts are closed after the test."""
    from tuihost.testing.hosted import hosted

    with ExitStack() as stack:

        def make(*apps: Any, **options: Any) -> Hosted:
            return stack.enter_context(hosted(*apps, **options))

        yield make
