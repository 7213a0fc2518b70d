from __future__ import annotations

from wharf.compose.model.build import Build, printed_hosts


def test_agents_and_hosts_are_printed_as_lines() -> None:
    build = Build(context=".", ssh={"default": None, "k": "/key"}, extra_hosts={"b": ["2.2.2.2"], "a": ["1.1.1.1"]})

    assert build.printed() == {
        "context": ".", "ssh": ["default", "k=/key"], "extra_hosts": ["a=1.1.1.1", "b=2.2.2.2"],
    }  # fmt: skip


def test_hosts_with_several_addresses_are_several_lines() -> None:
    assert printed_hosts({"a": ["2", "1"]}) == ["a=1", "a=2"]
