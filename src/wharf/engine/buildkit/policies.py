"""The source policies of a request (BuildKit, sourcepolicy/pb). Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from wharf.build.source_policy import Action, Constraint, Rule
from wharf.errors import InvalidArgument
from wharf.spec.buildkit import policy_pb2 as pb

_ACTIONS: Final[dict[int, Action]] = {pb.ALLOW: "allow", pb.DENY: "deny", pb.CONVERT: "convert"}


def policies_of(policies: Iterable[pb.Policy]) -> list[list[Rule]]:
    """Return policies as rules.

    Raises:
        InvalidArgument: one is of an unknown version, or does something unknown.
    """
    found = []
    for policy in policies:
        if policy.version not in (0, 1):
            raise InvalidArgument(f"unsupported source policy version: {policy.version}")
        found.append([_rule(rule) for rule in policy.rules])
    return found


def _rule(rule: pb.Rule) -> Rule:
    selector = rule.selector
    if rule.action not in _ACTIONS or selector.match_type not in (pb.WILDCARD, pb.EXACT, pb.REGEX):
        raise InvalidArgument(f"source policy: rule of an unknown type for {selector.identifier}")
    return Rule(
        _ACTIONS[rule.action],
        selector.identifier,
        selector.match_type == pb.EXACT,
        tuple(
            Constraint(one.key, one.value, one.condition != pb.NOTEQUAL, one.condition == pb.MATCHES)
            for one in selector.constraints
        ),
        rule.updates.identifier,
        dict(rule.updates.attrs),
        regular=selector.match_type == pb.REGEX,
    )
