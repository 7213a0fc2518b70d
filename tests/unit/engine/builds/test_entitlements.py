from __future__ import annotations

import pytest
from tests.fakes.builds import converted

from wharf.build.graph.vertex import Edge
from wharf.engine.builds.entitlements import NETWORK_HOST, SECURITY_INSECURE, granted, require_granted
from wharf.engine.options import EngineOptions
from wharf.errors import Forbidden, InvalidArgument, NotImplementedHere

_BOTH = frozenset({NETWORK_HOST, SECURITY_INSECURE})


def _target(text: str) -> Edge:
    found = converted(text).target
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("flag", "name"), [("--network=host", NETWORK_HOST), ("--security=insecure", SECURITY_INSECURE)]
)
def test_a_dockerfile_cannot_grant_anything_to_itself(flag: str, name: str) -> None:
    target = _target(f"FROM base AS one\nRUN {flag} x\nFROM base\nRUN y\nCOPY --from=one /x /x")

    require_granted(target, frozenset({name}))
    for grants in (set(), {NETWORK_HOST, SECURITY_INSECURE} - {name}):
        with pytest.raises(Forbidden, match=rf"RUN {flag} x: {name} is not allowed: grant it"):
            require_granted(target, frozenset(grants))


def test_commands_within_their_sandbox_need_no_grant() -> None:
    require_granted(_target("FROM base\nRUN x\nRUN --network=none y\nCOPY a b"), frozenset())


def test_what_nobody_knows_is_not_granted() -> None:
    assert granted(["network.host", "security.insecure"], _BOTH) == _BOTH
    with pytest.raises(InvalidArgument, match=r"unknown entitlement network\.none"):
        granted(["network.none"], _BOTH)
    with pytest.raises(NotImplementedHere, match="the entitlement device=gpu is not supported"):
        granted(["device=gpu"], _BOTH)


def test_a_client_grants_no_more_than_the_engine_allows() -> None:
    assert granted(["network.host"], EngineOptions().entitlements) == {NETWORK_HOST}
    for name, allowed in (("security.insecure", EngineOptions().entitlements), ("network.host", ())):
        with pytest.raises(Forbidden, match=f"granting entitlement {name} is not allowed by build daemon config"):
            granted([name], allowed)
