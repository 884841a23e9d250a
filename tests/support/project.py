"""Where things are in the project."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).parents[2]
SHARED = ROOT.parent / "shared"
"""What lies beside the project: its contract of environment files."""

SELF_HOSTED = Path(__file__).with_name("self-hosted.yaml")
"""An environment with all that self-hosting has."""
