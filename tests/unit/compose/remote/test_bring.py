from __future__ import annotations

import pytest

from wharf.compose.load.located import ComposeError
from wharf.compose.remote.bring import Remotes
from wharf.errors import InvalidArgument


@pytest.mark.parametrize("name", ["compose.yaml", "/a/b.yaml", "../x@y.yaml", "https://host/compose.yaml", "a:b"])
def test_files_of_this_machine_are_left_alone(name: str) -> None:
    assert Remotes({})(name) is None


@pytest.mark.parametrize(
    ("name", "variable"),
    [("oci://host/a", "COMPOSE_EXPERIMENTAL_OCI_REMOTE"), ("git://h/a.git", "COMPOSE_EXPERIMENTAL_GIT_REMOTE")],
)
def test_remote_files_can_be_switched_off(name: str, variable: str) -> None:
    with pytest.raises(ComposeError, match=f'is disabled by "{variable}"'):
        Remotes({variable: "false"})(name)
    with pytest.raises(InvalidArgument, match="expects boolean value"):
        Remotes({variable: "maybe"})(name)
