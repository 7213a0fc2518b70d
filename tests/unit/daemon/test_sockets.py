from __future__ import annotations

import socket
import stat
from pathlib import Path

import pytest

from wharf.daemon.addresses import TcpAddress, UnixAddress
from wharf.daemon.sockets import listening
from wharf.errors import Conflict, InvalidArgument


def test_socket_that_somebody_listens_on_is_left_alone(tmp_path: Path) -> None:
    address = UnixAddress(tmp_path / "s")
    with listening(address, group=None), pytest.raises(Conflict, match="another process listens there already"):
        listening(address, group=None).__enter__()


def test_file_that_is_no_socket_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "s"
    path.write_text("precious")
    with pytest.raises(Conflict, match="not a socket"):
        listening(UnixAddress(path), group=None).__enter__()

    assert path.read_text() == "precious"


def test_unknown_group_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidArgument, match="group nobody-has-this not found"):
        listening(UnixAddress(tmp_path / "s"), group="nobody-has-this").__enter__()

    assert list(tmp_path.iterdir()) == []


def test_port_in_use_is_an_error_that_names_it() -> None:
    with listening(TcpAddress("127.0.0.1", 0), group=None) as first:
        port = first.getsockname()[1]
        with pytest.raises(OSError, match=f"tcp://127.0.0.1:{port}"):
            listening(TcpAddress("127.0.0.1", port), group=None).__enter__()


def test_stale_socket_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "s"
    with socket.socket(socket.AF_UNIX) as killed:
        killed.bind(str(path))
    with listening(UnixAddress(path), group=None), socket.socket(socket.AF_UNIX) as client:
        client.connect(str(path))


def test_socket_is_for_its_owner_and_group_and_goes_at_the_end(tmp_path: Path) -> None:
    path = tmp_path / "folder" / "s"
    with listening(UnixAddress(path), group="0") as made:
        mode = path.stat().st_mode
        assert made.getsockname() == str(path)

    assert (stat.S_IMODE(mode), path.exists()) == (0o660, False)


def test_socket_of_another_in_its_place_is_left_at_the_end(tmp_path: Path) -> None:
    path = tmp_path / "s"
    with socket.socket(socket.AF_UNIX) as other, listening(UnixAddress(path), group=None):
        path.rename(tmp_path / "aside")
        other.bind(str(path))

    assert path.exists()
