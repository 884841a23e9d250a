"""Templates: the text of files that no construct decides."""

from __future__ import annotations

import functools
from pathlib import Path

import jinja2

TEMPLATES = Path(__file__).parent / "templates"


def render(template: str, /, **values: object) -> str:
    """The text of a template.

    Args:
        template: its path below ``templates``, without ``.j2``.
        values: what it names; it must find all that it names.
    """
    return _templates().get_template(f"{template}.j2").render(values)


def below(folder: str) -> list[str]:
    """The templates of a folder, by their paths below it without ``.j2``, in order."""
    root = TEMPLATES / folder
    return sorted(path.relative_to(root).as_posix().removesuffix(".j2") for path in root.rglob("*.j2"))


@functools.cache
def _templates() -> jinja2.Environment:
    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        # Markdown, HCL and YAML, of which nothing is HTML.
        autoescape=False,  # noqa: S701
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        undefined=jinja2.StrictUndefined,
    )
