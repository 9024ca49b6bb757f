"""tuihost: interactive terminal applications over SSH.

The names that an app's author needs are listed in `__init__.pyi`, for type checkers and for
`lazy_loader`, which imports each when it is first used: so the command line stays quick.
"""

from __future__ import annotations

import lazy_loader

__version__ = "0.1.0"

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
__all__ = [*__all__, "__version__"]
