"""Where the bundled apps and themes are: in the wheel, or beside a checkout."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import tuihost


def bundled_folder(kind: Literal["apps", "themes"]) -> Path:
    """The folder of the bundled apps or themes.

    A wheel carries them inside the package; a checkout and an editable install have them at
    the top level, beside it.
    """
    package = Path(tuihost.__file__).resolve().parent
    carried = package / "_bundled" / kind
    return carried if carried.is_dir() else package.parent / kind
