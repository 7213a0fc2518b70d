from __future__ import annotations

import pytest
from tests.fakes.compose import project

from wharf.compose.create.security import security_options
from wharf.errors import InvalidArgument

FILES = {"/app/p.json": b'{ "defaultAction": "SCMP_ACT_ALLOW" }', "/else/p.json": b"{}", "/app/bad.json": b"not JSON"}


def options(*texts: str) -> tuple[list[str], bool]:
    app = project(f"services: {{a: {{image: x, security_opt: {list(texts)}}}}}")
    return security_options(app, app.services["a"], FILES.__getitem__)


@pytest.mark.parametrize("text", ["seccomp:./p.json", "seccomp=p.json", "seccomp:/app/p.json"])
def test_profile_is_sent_and_not_named(text: str) -> None:
    assert options(text) == (['seccomp={"defaultAction":"SCMP_ACT_ALLOW"}'], False)


def test_other_options_are_passed_on_as_they_were_said() -> None:
    texts = ("label:disable", "seccomp:unconfined", "seccomp=builtin", "no-new-privileges", "no-new-privileges:true")

    assert options(*texts) == (list(texts), False)


def test_unmasked_system_paths_are_told_apart() -> None:
    assert options("systempaths=unconfined", "apparmor:x") == (["apparmor:x"], True)


@pytest.mark.parametrize("text", ["nonsense", "seccomp:bad.json"])
def test_what_is_no_option_or_no_profile_is_refused(text: str) -> None:
    with pytest.raises(InvalidArgument):
        options(text)
