"""The source policies of a request (BuildKit, sourcepolicy/pb). Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from wharf.build.source_policy import Action, Constraint, Rule
from wharf.errors import InvalidArgument, NotImplementedHere
from wharf.spec.buildkit import policy_pb2 as pb

_ACTIONS: Final[dict[int, Action]] = {pb.ALLOW: "allow", pb.DENY: "deny", pb.CONVERT: "convert"}
_REGULAR: Final = "regular expressions in source policies are not supported by this build of wharf: use wildcards"


def policies_of(policies: Iterable[pb.Policy]) -> list[list[Rule]]:
    """Return policies as rules.

    Raises:
        NotImplementedHere: one has a regular expression, which a client could make as slow as it likes.
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
    if selector.match_type == pb.REGEX or any(one.condition == pb.MATCHES for one in selector.constraints):
        raise NotImplementedHere(_REGULAR)
    return Rule(
        _ACTIONS[rule.action],
        selector.identifier,
        selector.match_type == pb.EXACT,
        tuple(Constraint(one.key, one.value, one.condition == pb.EQUAL) for one in selector.constraints),
        rule.updates.identifier,
        dict(rule.updates.attrs),
    )
