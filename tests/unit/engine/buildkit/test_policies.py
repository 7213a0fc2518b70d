from __future__ import annotations

import pytest

from wharf.build.source_policy import Constraint, Rule
from wharf.engine.buildkit.policies import policies_of
from wharf.errors import InvalidArgument, NotImplementedHere
from wharf.spec.buildkit import policy_pb2 as pb


def test_rules_are_read() -> None:
    constraint = pb.AttrConstraint(key="k", value="v", condition=pb.NOTEQUAL)
    selector = pb.Selector(identifier="a*", match_type=pb.EXACT, constraints=[constraint])
    rule = pb.Rule(action=pb.CONVERT, selector=selector, updates=pb.Update(identifier="b", attrs={"x": "y"}))
    assert policies_of([pb.Policy(version=1, rules=[rule])]) == [
        [Rule("convert", "a*", True, (Constraint("k", "v", False),), "b", {"x": "y"})]
    ]


def test_what_is_not_supported_is_refused() -> None:
    regular = pb.Rule(selector=pb.Selector(identifier=".*", match_type=pb.REGEX))
    matches = pb.Rule(selector=pb.Selector(constraints=[pb.AttrConstraint(key="k", condition=pb.MATCHES)]))
    for rule in (regular, matches):
        with pytest.raises(NotImplementedHere, match="regular expressions"):
            policies_of([pb.Policy(rules=[rule])])
    with pytest.raises(InvalidArgument, match="version: 7"):
        policies_of([pb.Policy(version=7)])
