from __future__ import annotations

import pytest

from wharf.build.source_policy import Constraint, Rule
from wharf.engine.buildkit.policies import policies_of
from wharf.errors import InvalidArgument
from wharf.spec.buildkit import policy_pb2 as pb


def test_rules_are_read() -> None:
    constraint = pb.AttrConstraint(key="k", value="v", condition=pb.NOTEQUAL)
    selector = pb.Selector(identifier="a*", match_type=pb.EXACT, constraints=[constraint])
    rule = pb.Rule(action=pb.CONVERT, selector=selector, updates=pb.Update(identifier="b", attrs={"x": "y"}))
    assert policies_of([pb.Policy(version=1, rules=[rule])]) == [
        [Rule("convert", "a*", True, (Constraint("k", "v", False),), "b", {"x": "y"})]
    ]


def test_regular_expressions_are_rules_of_identifiers_and_of_attributes() -> None:
    constraint = pb.AttrConstraint(key="k", value="v+", condition=pb.MATCHES)
    selector = pb.Selector(identifier=".*", match_type=pb.REGEX, constraints=[constraint])
    (rule,) = policies_of([pb.Policy(rules=[pb.Rule(selector=selector)])])[0]

    assert (rule.identifier, rule.regular, rule.constraints) == (".*", True, (Constraint("k", "v+", regular=True),))


def test_what_is_unknown_is_refused() -> None:
    with pytest.raises(InvalidArgument, match="version: 7"):
        policies_of([pb.Policy(version=7)])
