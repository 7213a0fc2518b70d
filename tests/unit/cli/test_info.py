from __future__ import annotations

from typing import Any

from wharf.cli.info import info_lines

DOCUMENT: dict[str, Any] = {
    "Containers": 3,
    "ContainersRunning": 1,
    "Images": 2,
    "ServerVersion": "0.1.0",
    "Driver": "overlay2",
    "DriverStatus": [["Backing Filesystem", "ext4"], ["Supports d_type", "true"]],
    "Plugins": {"Volume": ["local", "sshfs"], "Network": ["bridge"], "Authorization": None, "Log": ["none"]},
    "CDISpecDirs": ["/etc/cdi"],
    "DiscoveredDevices": [{"Source": "cdi", "ID": "v.com/c=x"}],
    "Swarm": {"LocalNodeState": "inactive"},
    "Runtimes": {"runc": {}, "crun": {}},
    "SecurityOptions": ["name=seccomp,profile=builtin", "name=cgroupns"],
    "NCPU": 2,
    "MemTotal": 1 << 30,
    "Labels": ["tier=one"],
    "RegistryConfig": {
        "IndexConfigs": {"docker.io": {"Secure": True}, "r.test:5000": {"Secure": False}},
        "InsecureRegistryCIDRs": ["127.0.0.0/8"],
        "Mirrors": ["http://m.test/"],
    },
    "DefaultAddressPools": [{"Base": "10.90.0.0/16", "Size": 24}],
    "FirewallBackend": {"Driver": "nftables", "Info": None},
}


def below(lines: list[str], title: str) -> list[str]:
    """Return the lines that stand below ``title``, further in than it."""
    depth = len(title) - len(title.lstrip())
    found: list[str] = []
    for line in lines[lines.index(title) + 1 :]:
        if len(line) - len(line.lstrip()) <= depth:
            break
        found.append(line.strip())
    return found


def test_what_belongs_together_stands_below_its_title() -> None:
    lines = info_lines(DOCUMENT)

    assert below(lines, " Containers: 3") == ["Running: 1", "Paused: 0", "Stopped: 0"]
    assert below(lines, " Storage Driver: overlay2") == ["Backing Filesystem: ext4", "Supports d_type: true"]
    assert below(lines, " Plugins:") == ["Volume: local sshfs", "Network: bridge", "Log: none"]
    assert below(lines, " CDI spec directories:") == ["/etc/cdi"]
    assert below(lines, " Discovered Devices:") == ["cdi: v.com/c=x"]
    assert below(lines, " Security Options:") == ["seccomp", "Profile: builtin", "cgroupns"]
    assert below(lines, " Insecure Registries:") == ["r.test:5000", "127.0.0.0/8"]
    assert below(lines, " Registry Mirrors:") == ["http://m.test/"]
    assert below(lines, " Default Address Pools:") == ["Base: 10.90.0.0/16, Size: 24"]
    assert {" Runtimes: runc crun", " Total Memory: 1GiB", " Firewall Backend: nftables"} <= set(lines)


def test_what_an_engine_does_not_tell_has_no_line() -> None:
    lines = info_lines({"Containers": 1})

    assert " Containers: 1" in lines
    assert not [line for line in lines if "CDI" in line or "Proxy" in line or "Labels" in line or "Runtime:" in line]


def test_its_own_state_is_told_where_it_debugs() -> None:
    lines = info_lines({"Debug": True, "NFd": 21, "SystemTime": "2026-01-01T00:00:00Z"})

    assert below(lines, " Debug Mode: true")[:2] == ["File Descriptors: 21", "System Time: 2026-01-01T00:00:00Z"]
