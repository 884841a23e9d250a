"""The folder of synthesized stacks, changed as a whole or not at all."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from jsii.errors import JavaScriptError, JSIIError

from synthesis.stack import ScytheApp

_MANIFEST = "manifest.json"


class SynthesisError(Exception):
    """No stacks can be made of the settings; the text is one line."""


@contextmanager
def synthesized_into(out: Path) -> Iterator[ScytheApp]:
    """An app to compose stacks in; they are written when the block ends, and nothing is where it fails.

    What Terraform keeps beside a stack (its lock file, its plugins) and the folders of other stacks stay; the
    manifest, by which CDKTF's command line knows the stacks, lists those of this app.

    Args:
        out: the output folder; made where it is missing.

    Raises:
        SynthesisError: a construct refused.
    """
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{out.name}-", dir=out.parent) as folder:
        try:
            app = ScytheApp(outdir=folder)
            yield app
            app.synth()
        except (JavaScriptError, JSIIError, ValueError) as error:
            reason = next(
                (line.strip() for line in str(error).splitlines() if line.strip()), "no reason given"
            )
            raise SynthesisError(f"nothing is synthesized: {reason}") from error
        _replace(Path(folder), out)


def _replace(folder: Path, out: Path) -> None:
    files = [path for path in folder.rglob("*") if path.is_file()]
    # The manifest comes last: what it lists is there.
    for file in sorted(files, key=lambda path: path.name == _MANIFEST):
        target = out / file.relative_to(folder)
        target.parent.mkdir(parents=True, exist_ok=True)
        file.replace(target)
