from __future__ import annotations

import pytest

from wharf.errors import InvalidArgument
from wharf.images.changes import apply_changes, expand


@pytest.mark.parametrize(
    ("line", "config"),
    [
        ('CMD ["a", "b c"]', {"Cmd": ["a", "b c"]}),
        ("cmd echo hi", {"Cmd": ["/bin/sh", "-c", "echo hi"]}),
        ("ENTRYPOINT [not json]", {"Entrypoint": ["/bin/sh", "-c", "[not json]"]}),
        ('ENV A=1 B="two words"', {"Env": ["A=1", "B=two words"]}),
        ("ENV A old form", {"Env": ["A=old form"]}),
        ("ENV A=1\nENV B=$A${A:+x}${C:-d}", {"Env": ["A=1", "B=1xd"]}),
        (
            "EXPOSE 80 53/UDP 7000-7001",
            {"ExposedPorts": {"80/tcp": {}, "53/udp": {}, "7000/tcp": {}, "7001/tcp": {}}},
        ),
        ('LABEL a=b "c d"=e', {"Labels": {"a": "b", "c d": "e"}}),
        ("USER 1000:1000", {"User": "1000:1000"}),
        ('VOLUME ["/a", "/b"]', {"Volumes": {"/a": {}, "/b": {}}}),
        ("VOLUME /a /b", {"Volumes": {"/a": {}, "/b": {}}}),
        ("WORKDIR /a\nWORKDIR b/../c", {"WorkingDir": "/a/c"}),
        ("STOPSIGNAL SIGINT", {"StopSignal": "SIGINT"}),
        ("HEALTHCHECK NONE", {"Healthcheck": {"Test": ["NONE"]}}),
        (
            "HEALTHCHECK --interval=5s --retries=3 CMD true",
            {"Healthcheck": {"Interval": 5_000_000_000, "Retries": 3, "Test": ["CMD-SHELL", "true"]}},
        ),
        ("ONBUILD RUN x", {"OnBuild": ["RUN x"]}),
        ("# a comment\nUSER \\\n me", {"User": "me"}),
    ],
)
def test_an_instruction_sets_the_configuration(line: str, config: dict[str, object]) -> None:
    assert apply_changes({}, [line]) == config


@pytest.mark.parametrize(
    ("line", "error"),
    [
        ("RUN x", "RUN is not a valid change command"),
        ("FROM x", "FROM is not a valid change command"),
        ("CMD", "CMD requires at least one argument"),
        ("ENV A", "ENV must have two arguments"),
        ("ENV A=1 B", "can't find = in 'B'"),
        ("EXPOSE web", "invalid containerPort: web"),
        ("EXPOSE 70000", "invalid containerPort"),
        ("EXPOSE 9-8", "invalid containerPort"),
        ("HEALTHCHECK --fast=1 CMD x", "Unknown flag: fast"),
        ("HEALTHCHECK x", "Unknown type"),
        ("ONBUILD ONBUILD x", "Chaining ONBUILD"),
        ("ONBUILD FROM x", "isn't allowed as an ONBUILD trigger"),
        ('LABEL a="b', "malformed change"),
    ],
)
def test_what_is_malformed_is_refused(line: str, error: str) -> None:
    with pytest.raises(InvalidArgument, match=error):
        apply_changes({}, [line])


def test_what_was_there_is_kept() -> None:
    before = {"Env": ["A=1"], "Labels": {"x": "y"}}

    assert apply_changes(before, ["ENV A=2 B=3", "LABEL z=1"]) == {  # type: ignore[arg-type]
        "Env": ["A=2", "B=3"],
        "Labels": {"x": "y", "z": "1"},
    }
    assert before == {"Env": ["A=1"], "Labels": {"x": "y"}}


def test_an_escaped_dollar_is_one() -> None:
    assert expand(r"\$A $A", {"A": "1"}) == "$A 1"
