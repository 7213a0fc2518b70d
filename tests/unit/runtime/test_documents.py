"""What the command prints of itself is what it does: features.md and features-linux.md, list by list."""

from __future__ import annotations

from typing import Any

import pytest

from wharf.kernel import capability, seccomp
from wharf.runtime import documents, hooks, mount_options, namespaces, support, tuning

_FEATURES = documents.features()
_LINUX = _FEATURES["linux"]
# config-linux.md "Seccomp": all that it names, whatever a libseccomp of a certain age knows.
_ARCHITECTURES = (
    "X86 X86_64 X32 ARM AARCH64 MIPS MIPS64 MIPS64N32 MIPSEL MIPSEL64 MIPSEL64N32 PPC PPC64 PPC64LE S390 S390X PARISC"
    " PARISC64 RISCV64 LOONGARCH64 M68K SH SHEB"
)


def test_the_default_document_is_one_that_is_supported() -> None:
    support.check(documents.default_spec())


@pytest.mark.parametrize("name", ["ociVersionMin", "ociVersionMax"])
def test_its_versions_are_accepted(name: str) -> None:
    support.check({**documents.default_spec(), "ociVersion": _FEATURES[name]})


def test_its_hooks_are_those_that_are_run() -> None:
    wanted: Any = {point: [{"path": "/bin/true"}] for point in _FEATURES["hooks"]}
    state: Any = {"id": "box"}
    plan = hooks.plan(wanted, state)

    assert all(plan.at(point) for point in _FEATURES["hooks"])


@pytest.mark.parametrize("option", _FEATURES["mountOptions"])
def test_its_mount_options_are_not_handed_to_file_systems_as_data(option: str) -> None:
    assert mount_options.parse([option]).data == []


@pytest.mark.parametrize("kind", _LINUX["namespaces"])
def test_its_namespaces_are_made(kind: str) -> None:
    mapping: Any = [{"containerID": 0, "hostID": 0, "size": 1}]
    maps = {"uidMappings": mapping, "gidMappings": mapping} if kind == "user" else {}

    assert namespaces.plan({"namespaces": [{"type": kind}], **maps}).has(kind)


def test_its_capabilities_are_known() -> None:
    assert capability.names_of(capability.parse(_LINUX["capabilities"])) == _LINUX["capabilities"]


def test_its_architectures_are_all_of_the_specification() -> None:
    known = _LINUX["seccomp"]["archs"]

    assert sorted(known) == sorted(f"SCMP_ARCH_{name}" for name in _ARCHITECTURES.split())


@pytest.mark.parametrize("action", _LINUX["seccomp"]["actions"])
def test_its_actions_can_be_compiled(action: str) -> None:
    default = "SCMP_ACT_ERRNO" if action == "SCMP_ACT_ALLOW" else "SCMP_ACT_ALLOW"

    assert seccomp.compile_filter({"defaultAction": default, "syscalls": [{"names": ["mount"], "action": action}]})


@pytest.mark.parametrize("op", _LINUX["seccomp"]["operators"])
def test_its_operators_can_be_compiled(op: str) -> None:
    rule = {"names": ["kill"], "action": "SCMP_ACT_ERRNO", "args": [{"index": 1, "value": 9, "op": op}]}

    assert seccomp.compile_filter({"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [rule]})


def test_its_flags_are_those_of_the_specification_and_of_this_kernel() -> None:
    known, supported = _LINUX["seccomp"]["knownFlags"], _LINUX["seccomp"]["supportedFlags"]

    assert {name.removeprefix("SECCOMP_FILTER_FLAG_") for name in known} == {
        "TSYNC",
        "LOG",
        "SPEC_ALLOW",
        "WAIT_KILLABLE_RECV",
    }
    assert set(supported) <= set(known)
    assert "SECCOMP_FILTER_FLAG_TSYNC" in supported  # since Linux 3.17
    for flag in supported:
        assert seccomp.flags_of({"defaultAction": "SCMP_ACT_ALLOW", "flags": [flag]})


@pytest.mark.parametrize("mode", _LINUX["memoryPolicy"]["modes"])
def test_its_memory_policies_are_known(mode: str) -> None:
    policy: Any = {"mode": mode}
    if mode not in ("MPOL_DEFAULT", "MPOL_LOCAL"):
        policy["nodes"] = "0"

    assert tuning.plan({}, {"memoryPolicy": policy}) is not None


def test_what_may_change_what_it_does_is_said() -> None:
    assert _FEATURES["potentiallyUnsafeConfigAnnotations"] == ["org.criu.config"]
