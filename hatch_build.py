"""What is in the metadata of the package beyond `pyproject.toml`: the README, and where its links
lead for somebody who reads it on an index of packages.

There the files of the checkout are not beside it. With `TUIHOST_SOURCE_URL`, the address of the
repository, links and pictures lead there; without one they are plain words, so that none is dead.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

from hatchling.metadata.plugin.interface import MetadataHookInterface

SOURCE_URL = "TUIHOST_SOURCE_URL"
_LINK = re.compile(r"(!?)\[([^\]]*)\]\((?!https?:|mailto:)([^)\s]+)\)")


class CustomMetadataHook(MetadataHookInterface):
    """Called by hatchling."""

    def update(self, metadata: dict[str, Any]) -> None:
        source = os.environ.get(SOURCE_URL, "").rstrip("/")
        text = Path(self.root, "README.md").read_text("utf-8")
        metadata["readme"] = {
            "content-type": "text/markdown",
            "text": for_an_index(text, source),
        }
        metadata["urls"] = urls_of(source)


def urls_of(source: str) -> dict[str, str]:
    """The addresses of the project, all in the repository at `source`."""
    if not source:
        return {}
    return {
        "Homepage": source,
        "Documentation": f"{source}/blob/HEAD/docs/index.md",
        "Changelog": f"{source}/blob/HEAD/CHANGELOG.md",
        "Issues": f"{source}/issues",
        "Source": source,
    }


def for_an_index(text: str, source: str) -> str:
    """The README with its links into the checkout as links to `source`, or as their words."""

    def changed(link: re.Match[str]) -> str:
        picture, words, target = link.groups()
        if target.startswith("#"):
            return link[0]
        if not source:
            return "" if picture else words
        return f"{picture}[{words}]({source}/{'raw' if picture else 'blob'}/HEAD/{target})"

    return _LINK.sub(changed, text)
