"""The folder of synthesized stacks, changed as a whole or not at all."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from jsii.errors import JavaScriptError, JSIIError

from synthesis.stack import ScytheApp

_MANIFEST, _STACK = "manifest.json", "cdk.tf.json"


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
    for file in folder.rglob(_STACK):
        _write_without_places(file)
    files = [path for path in folder.rglob("*") if path.is_file()]
    # The manifest comes last: what it lists is there.
    for file in sorted(files, key=lambda path: path.name == _MANIFEST):
        target = out / file.relative_to(folder)
        target.parent.mkdir(parents=True, exist_ok=True)
        file.replace(target)


def _write_without_places(file: Path) -> None:
    """Leave out where in the Python program each resource is, a fifth of a stack, which its address says too."""
    document = json.loads(file.read_text(encoding="utf-8"))
    for bodies in (named for kind in ("resource", "data") for named in document.get(kind, {}).values()):
        for body in bodies.values():
            comment = body.get("//", {})
            comment.pop("metadata", None)
            if not comment:
                body.pop("//", None)
    file.write_text(json.dumps(document, indent=2, ensure_ascii=False), encoding="utf-8")
