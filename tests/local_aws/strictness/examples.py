"""An example for each rule, by the rule's name. Each rules module has a file of its own, gathered here."""

from __future__ import annotations

from collections.abc import Mapping

from tests.local_aws.strictness.example import Example
from tests.local_aws.strictness.examples_ecs import ECS_EXAMPLES
from tests.local_aws.strictness.examples_load_balancing import LOAD_BALANCING_EXAMPLES
from tests.local_aws.strictness.examples_names import NAME_EXAMPLES
from tests.local_aws.strictness.examples_network import NETWORK_EXAMPLES
from tests.local_aws.strictness.examples_others import OTHER_EXAMPLES
from tests.local_aws.strictness.examples_scaling import SCALING_EXAMPLES
from tests.local_aws.strictness.examples_storage import STORAGE_EXAMPLES
from tests.local_aws.strictness.examples_task_definitions import TASK_DEFINITION_EXAMPLES
from tests.local_aws.strictness.value_examples import VALUE_EXAMPLES

EXAMPLES: Mapping[str, Example] = {
    **VALUE_EXAMPLES,
    **ECS_EXAMPLES,
    **TASK_DEFINITION_EXAMPLES,
    **SCALING_EXAMPLES,
    **NETWORK_EXAMPLES,
    **LOAD_BALANCING_EXAMPLES,
    **NAME_EXAMPLES,
    **STORAGE_EXAMPLES,
    **OTHER_EXAMPLES,
}
