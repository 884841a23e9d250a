"""An example for each rule, by the rule's name. Each rules module has a file of its own, gathered here."""

from __future__ import annotations

from collections.abc import Mapping

from tests.local_aws.strictness.example import Example
from tests.local_aws.strictness.value_examples import VALUE_EXAMPLES

EXAMPLES: Mapping[str, Example] = {**VALUE_EXAMPLES}
