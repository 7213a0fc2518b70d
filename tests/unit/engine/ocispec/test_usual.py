from __future__ import annotations

from wharf.engine.ocispec.inputs import HostFacts
from wharf.engine.ocispec.usual import usual

_FACTS = HostFacts(
    cgroup2=False,
    seccomp=True,
    kernel=(6, 1),
    arch="amd64",
    capabilities=frozenset({"CAP_CHOWN", "CAP_KILL"}),
    cpus=2,
)


def test_the_usual_container_has_new_namespaces_and_nothing_of_its_own_but_the_three_files() -> None:
    spec = usual(_FACTS)

    assert {entry["type"] for entry in spec["linux"]["namespaces"]} == {"mount", "pid", "ipc", "uts", "network"}
    assert not any(entry.get("path") for entry in spec["linux"]["namespaces"])
    assert [m["destination"] for m in spec["mounts"] if m["type"] == "bind"] == [
        "/etc/resolv.conf",
        "/etc/hostname",
        "/etc/hosts",
    ]


def test_the_usual_container_is_confined() -> None:
    spec = usual(_FACTS)

    assert "/proc/kcore" in spec["linux"]["maskedPaths"]
    assert spec["linux"]["seccomp"]["defaultAction"] == "SCMP_ACT_ERRNO"
