from __future__ import annotations

from pathlib import Path

import pytest

from wharf.errors import InvalidArgument
from wharf.images.registry.hosts import (
    Host,
    RegistryOptions,
    certificates_of,
    hosts_of,
    is_insecure,
    origin,
)
from wharf.lib.reference import HUB_HOST


def test_docker_hub_has_another_host_than_its_name() -> None:
    assert origin("docker.io", RegistryOptions()) == Host(HUB_HOST)


def test_mirrors_are_asked_before_the_registry_itself() -> None:
    options = RegistryOptions(mirrors={"docker.io": ("https://m.example/hub/", "http://127.0.0.1:5000")})

    assert [(host.name, host.schemes, host.prefix, host.mirror) for host in hosts_of("docker.io", options)] == [
        ("m.example", ("https",), "/hub", True),
        ("127.0.0.1:5000", ("http",), "", True),
        (HUB_HOST, ("https",), "", False),
    ]
    assert [host.name for host in hosts_of("quay.io", options)] == ["quay.io"]


@pytest.mark.parametrize(
    "address", ["m.example", "ftp://m", "https://", "https://u:p@m", "https://m?x", "https://m#x"]
)
def test_what_is_no_mirror_is_refused(address: str) -> None:
    with pytest.raises(InvalidArgument, match="invalid mirror"):
        RegistryOptions(mirrors={"docker.io": (address,)})


@pytest.mark.parametrize(
    ("name", "insecure"),
    [
        ("localhost:5000", True),
        ("127.0.0.1", True),
        ("127.9.9.9:1", True),
        ("[::1]:5000", True),
        ("10.1.2.3:5000", True),
        ("10.2.0.1", False),
        ("listed.example:5000", True),
        ("listed.example", False),
        ("bare.example:1", True),
        ("docker.io", False),
    ],
)
def test_plain_http_is_for_loopback_and_for_who_is_listed(name: str, insecure: bool) -> None:
    assert is_insecure(name, ("10.1.0.0/16", "listed.example:5000", "bare.example")) is insecure


def test_an_insecure_registry_is_tried_with_tls_first() -> None:
    assert origin("localhost:5000", RegistryOptions()) == Host("localhost:5000", ("https", "http"), verified=False)
    assert origin("a:5000", RegistryOptions(), insecure=True) == Host("a:5000", ("https", "http"), verified=False)


def test_certificates_come_from_the_hosts_own_folder(tmp_path: Path) -> None:
    folder = tmp_path / "a:5000"
    folder.mkdir()
    for name in ("ca.crt", "client.cert", "client.key"):
        (folder / name).touch()
    found = certificates_of("a:5000", (tmp_path / "none", tmp_path))

    assert found.authorities == (folder / "ca.crt",)
    assert found.own == ((folder / "client.cert", folder / "client.key"),)
    assert certificates_of("b", (tmp_path,)).own == ()


@pytest.mark.parametrize(
    ("name", "missing"), [("c.cert", r"missing key c\.key"), ("c.key", "missing client certificate")]
)
def test_half_a_pair_is_refused(tmp_path: Path, name: str, missing: str) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / name).touch()
    with pytest.raises(InvalidArgument, match=missing):
        certificates_of("a", (tmp_path,))
