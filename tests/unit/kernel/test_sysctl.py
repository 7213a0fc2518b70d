from __future__ import annotations

import pytest

from wharf.kernel import sysctl


@pytest.mark.parametrize("name", ["", ".", "net..ipv4", "../etc/passwd", "net/../../etc", "/etc"])
def test_a_name_that_leaves_proc_sys_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="not the name of a sysctl"):
        sysctl.path_of(name)


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("net.ipv4.ip_forward", "net/ipv4/ip_forward"),
        ("net/ipv4/ip_forward", "net/ipv4/ip_forward"),
        ("net.ipv4.conf.eth0/1.forwarding", "net/ipv4/conf/eth0.1/forwarding"),
        ("net/ipv4/conf/eth0.1/forwarding", "net/ipv4/conf/eth0.1/forwarding"),
    ],
)
def test_the_first_separator_decides(name: str, path: str) -> None:
    assert sysctl.path_of(name) == path
