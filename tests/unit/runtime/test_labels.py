from __future__ import annotations

from typing import Any

import pytest

from wharf.runtime import labels


def planned(monkeypatch: pytest.MonkeyPatch, process: Any, *, present: bool) -> labels.LabelPlan:
    monkeypatch.setattr(labels, "has_apparmor", lambda: present)
    monkeypatch.setattr(labels, "has_selinux", lambda: present)
    return labels.plan(process)


def test_without_labels_there_is_nothing_to_do() -> None:
    plan = labels.plan({"args": ["sh"]})

    assert (plan.writes, plan.warnings, plan.descriptors) == ([], [], [])


def test_labels_are_written_where_the_kernel_has_the_module(monkeypatch: pytest.MonkeyPatch) -> None:
    profile = planned(monkeypatch, {"apparmorProfile": "p"}, present=True).writes[0]

    assert (profile[0].endswith("exec"), profile[1]) == (True, "exec p")
    assert planned(monkeypatch, {"selinuxLabel": "u:r:t"}, present=True).writes == [("exec", "u:r:t")]


def test_where_it_has_not_the_caller_is_warned(monkeypatch: pytest.MonkeyPatch) -> None:
    plan = planned(monkeypatch, {"apparmorProfile": "p", "selinuxLabel": "l"}, present=False)

    assert plan.writes == []
    assert plan.warnings == [
        "AppArmor profile p is not applied: this kernel has no AppArmor",
        "SELinux label l is not applied: this kernel has no SELinux",
    ]


def test_a_mount_label_is_a_context_where_there_is_selinux(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(labels, "has_selinux", lambda: True)
    assert labels.mount_context("l") == ("l", [])
    monkeypatch.setattr(labels, "has_selinux", lambda: False)
    assert labels.mount_context("l") == ("", ["mount label l is not applied: this kernel has no SELinux"])
    assert labels.mount_context("") == ("", [])
