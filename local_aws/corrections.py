"""What moto 5.2.5 gets wrong for Terraform, corrected in the server's process, each thing narrowly."""

from __future__ import annotations


def correct_moto() -> None:
    """Correct moto in this process; to be called once, before it serves."""
