"""OpenSSH's server beside an engine: clients that are given ``ssh://`` reach it as on a machine of their own.

It runs where the engine is, answers on loopback there, and knows one user by one key. What it starts for a client
finds ``docker`` in ``PATH``, and the engine by ``DOCKER_HOST``.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from conformance import mirror

_PORT, _UNKNOWN_PORT = 22, 2222  # in a side's own network namespace
_SERVER = "/usr/sbin/sshd"  # it wants its whole path


@dataclass(frozen=True, slots=True)
class Server:
    """A server that answers."""

    folder: Path
    host: str = f"ssh://root@127.0.0.1:{_PORT}"
    unknown_host: str = f"ssh://root@127.0.0.1:{_UNKNOWN_PORT}"  # the same at a port that is not in known_hosts

    def for_clients(self, environment: Mapping[str, str]) -> dict[str, str]:
        """Return an environment in which ``ssh`` has the user's key, and takes the server's for known."""
        return {
            **environment,
            "PATH": f"{self.folder / 'bin'}:{environment['PATH']}",
            "UNKNOWN_DOCKER_SSH_HOST": self.unknown_host,
        }


@contextmanager
def serving(folder: Path, beside: int, docker_host: str) -> Iterator[Server]:
    """Serve at loopback in the namespaces of the process ``beside``.

    Raises:
        SideFailed: it does not answer in time.
    """
    write(folder, docker_host)
    inside = ("nsenter", "--target", str(beside), "--net", "--mount")
    command = (*inside, "sh", "-c", f"mkdir -p /run/sshd && exec {_SERVER} -D -e -f {folder}/sshd_config")
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    try:
        mirror.wait_until_listening(beside, process, _PORT)
        yield Server(folder)
    finally:
        process.terminate()
        process.wait(10)


def write(folder: Path, docker_host: str) -> None:
    """Write both sides' settings and keys, and an ``ssh`` that uses them."""
    (folder / "bin").mkdir(parents=True)
    for name in ("user", "server"):
        command = ("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", folder / name)
        subprocess.run(command, check=True)
    (folder / "authorized_keys").write_text((folder / "user.pub").read_text())
    (folder / "known_hosts").write_text(f"127.0.0.1 {(folder / 'server.pub').read_text()}")
    (folder / "sshd_config").write_text(
        f"ListenAddress 127.0.0.1:{_PORT}\nListenAddress 127.0.0.1:{_UNKNOWN_PORT}\n"
        f"HostKey {folder}/server\nAuthorizedKeysFile {folder}/authorized_keys\n"
        f"PidFile none\nStrictModes no\nUsePAM no\nPermitRootLogin prohibit-password\nMaxStartups 100\n"
        f'SetEnv DOCKER_HOST={docker_host} "PATH={os.environ["PATH"]}"\n'
    )
    (folder / "ssh_config").write_text(
        f"IdentityFile {folder}/user\nUserKnownHostsFile {folder}/known_hosts\nBatchMode yes\n"
    )
    client = folder / "bin/ssh"
    client.write_text(f'#!/bin/sh\nexec /usr/bin/ssh -F {folder}/ssh_config "$@"\n')
    client.chmod(0o755)
