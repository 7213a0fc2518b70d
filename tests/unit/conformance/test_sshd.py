from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from conformance.sshd import Server, write


def test_clients_find_an_ssh_of_ours_before_the_machines() -> None:
    environment = Server(Path("/s")).for_clients({"PATH": "/usr/bin", "HOME": "/h"})

    assert environment == {
        "PATH": "/s/bin:/usr/bin",
        "HOME": "/h",
        "UNKNOWN_DOCKER_SSH_HOST": "ssh://root@127.0.0.1:2222",
    }


@pytest.mark.skipif(shutil.which("ssh-keygen") is None, reason="there is no OpenSSH here")
def test_what_is_written_lets_a_client_in_by_its_key_alone(tmp_path: Path) -> None:
    write(tmp_path, "unix:///s.sock")
    asked = ("ssh", "-G", "-F", tmp_path / "ssh_config", "127.0.0.1")
    read = subprocess.run(asked, capture_output=True, text=True, check=True).stdout

    assert f"identityfile {tmp_path}/user" in read
    assert "batchmode yes" in read
    assert (tmp_path / "authorized_keys").read_text() == (tmp_path / "user.pub").read_text()
    assert "SetEnv DOCKER_HOST=unix:///s.sock" in (tmp_path / "sshd_config").read_text()
