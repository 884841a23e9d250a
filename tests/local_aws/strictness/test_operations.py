"""Each operation of a recorded apply and destroy has a rule, or a sentence why AWS refuses nothing."""

from __future__ import annotations

from collections import Counter

import pytest
from moto.core.utils import get_service_model

from local_aws import LocalAws
from local_aws.strictness.documentation import refused_by
from local_aws.strictness.rules import EXEMPT, RULES
from tests.local_aws.strictness.recorded import changes, recorded


@pytest.mark.parametrize("operation", recorded())
def test_an_operation_of_the_stacks_has_a_rule_or_a_sentence(operation: str) -> None:
    exempt = [one for one in EXEMPT if operation in one.operations]
    assert list(refused_by(operation)) or exempt, "neither a rule nor an Exempt"


def test_no_operation_is_exempt_that_has_a_rule() -> None:
    exempt = Counter(name for one in EXEMPT for name in one.operations)
    assert [name for name, count in exempt.items() if count > 1] == []
    assert {name: [rule.name for rule in refused_by(name)] for name in exempt if any(refused_by(name))} == {}
    assert all(one.why.endswith(".") and len(one.why) > 30 for one in EXEMPT), "a sentence"


def test_the_models_know_each_operation_that_is_named() -> None:
    named = {name for rule in RULES for name in rule.operations} | {
        name for one in EXEMPT for name in one.operations
    }
    for name in named - {"*"}:
        service, _, operation = name.partition(".")
        model = get_service_model(service)
        assert operation == "*" or operation in model.operation_names, name


def test_operations_are_recorded_until_a_reset(aws: LocalAws) -> None:
    aws.client("ecs").create_cluster(clusterName="recorded")
    aws.client("ecs").list_clusters()
    assert aws.operations() == ["ecs.CreateCluster", "ecs.ListClusters"]
    assert changes(aws.operations()) == ["ecs.CreateCluster"]
    aws.reset()
    assert aws.operations() == []
