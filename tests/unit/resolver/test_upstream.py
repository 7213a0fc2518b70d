from __future__ import annotations

import os
from pathlib import Path

from wharf.resolver.upstream import HostServers, servers_of


def test_hosts_name_servers_are_read_anew_when_they_change(tmp_path: Path) -> None:
    path = tmp_path / "resolv.conf"
    path.write_text("search lan\nnameserver 127.0.0.53\nnameserver fd00::53\n")
    host = HostServers(str(path))
    first = host.now()
    path.write_text("nameserver 9.9.9.9\n")
    os.utime(path, (1, 1))

    assert (first, host.now()) == (("127.0.0.53", "fd00::53"), ("9.9.9.9",))


def test_host_without_the_file_has_none(tmp_path: Path) -> None:
    assert HostServers(str(tmp_path / "none")).now() == ()


def test_containers_own_servers_are_asked_in_place_of_the_hosts(tmp_path: Path) -> None:
    host = HostServers(str(tmp_path / "none"))

    assert servers_of(["1.1.1.1", "2.2.2.2", "3.3.3.3", "4.4.4.4"], host) == ["1.1.1.1", "2.2.2.2", "3.3.3.3"]
