from __future__ import annotations

from pathlib import Path

import pytest

from wharf.daemon.addresses import (
    Address,
    InheritedAddress,
    TcpAddress,
    UnixAddress,
    parse_address,
    parse_metrics_address,
)
from wharf.errors import Forbidden, InvalidArgument, NotImplementedHere, WharfError


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("/run/wharf.sock", InvalidArgument),
        ("unix://", InvalidArgument),
        ("unix://relative.sock", InvalidArgument),
        ("unix:///" + "x" * 107, InvalidArgument),
        ("tcp://127.0.0.1", InvalidArgument),
        ("tcp://127.0.0.1:99999", InvalidArgument),
        ("tcp://127.0.0.1:80/path", InvalidArgument),
        ("tcp://somewhere:2375", InvalidArgument),
        ("tcp://0.0.0.0:2375", Forbidden),
        ("0.0.0.0:2375", Forbidden),
        ("tcp://[::]:2375", Forbidden),
        ("tcp://192.0.2.1:2375", Forbidden),
        ("npipe:////./pipe/docker_engine", NotImplementedHere),
    ],
)
def test_address_that_cannot_be_served_is_refused(text: str, error: type[WharfError]) -> None:
    with pytest.raises(error):
        parse_address(text, insecure_tcp=True)


def test_tcp_is_refused_unless_asked_for() -> None:
    with pytest.raises(Forbidden, match="--insecure-tcp"):
        parse_address("tcp://127.0.0.1:2375")


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("unix:///run/wharf/wharf.sock", UnixAddress(Path("/run/wharf/wharf.sock"))),
        ("tcp://127.0.0.1:2375", TcpAddress("127.0.0.1", 2375)),
        ("tcp://localhost:0", TcpAddress("127.0.0.1", 0)),
        ("tcp://[::1]:2375", TcpAddress("::1", 2375)),
        ("127.0.0.1:2375", TcpAddress("127.0.0.1", 2375)),
        ("fd://", InheritedAddress("")),
        ("fd://api", InheritedAddress("api")),
    ],
)
def test_address_is_read_and_written_back(text: str, address: Address) -> None:
    parsed = parse_address(text, insecure_tcp=True)

    assert (parsed, parse_address(str(parsed), insecure_tcp=True)) == (address, address)


def test_verified_clients_are_served_everywhere() -> None:
    assert parse_address("tcp://0.0.0.0:2376", verified=True) == TcpAddress("0.0.0.0", 2376)


def test_figures_are_served_everywhere() -> None:
    assert parse_metrics_address("0.0.0.0:9323") == TcpAddress("0.0.0.0", 9323)
    with pytest.raises(InvalidArgument):
        parse_metrics_address("9323")
