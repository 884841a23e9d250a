"""The releases of the modules, as ``templates/CHANGELOG.md.j2`` has them: a release adds its entry there."""

from __future__ import annotations

import re

from ops.export.rendering import render

_RELEASE = re.compile(r"^## \[(\d+\.\d+\.\d+)\] - \d{4}-\d\d-\d\d$", re.MULTILINE)


def changelog() -> str:
    """The text of the changelog."""
    return render("CHANGELOG.md")


def releases() -> list[str]:
    """The versions, the newest first."""
    return _RELEASE.findall(changelog())
