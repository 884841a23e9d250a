"""Examples of the rules about values."""

from __future__ import annotations

from collections.abc import Mapping

from tests.local_aws.strictness.example import Example

VALUE_EXAMPLES: Mapping[str, Example] = {}
