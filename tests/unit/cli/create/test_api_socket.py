from __future__ import annotations

import io
import json
import tarfile
from pathlib import Path
from typing import Any

from wharf.cli.create.api_socket import hand_over, mounted


def _environment(folder: Path, *, auths: bool) -> dict[str, str]:
    document = {"auths": {"r.test": {"auth": "dTpw"}}} if auths else {}
    (folder / "config.json").write_text(json.dumps(document))
    return {"DOCKER_CONFIG": str(folder)}


def test_the_socket_is_mounted_and_credentials_are_found(tmp_path: Path) -> None:
    document: dict[str, Any] = {"Env": ["A=b"], "HostConfig": {"Mounts": [{"Type": "tmpfs", "Target": "/t"}]}}

    config = mounted(document, "unix:///run/x.sock", _environment(tmp_path, auths=True))

    assert document["HostConfig"]["Mounts"][1:] == [
        {"Type": "bind", "Source": "/run/x.sock", "Target": "/var/run/docker.sock", "BindOptions": {}}
    ]
    assert document["Env"] == ["A=b", "DOCKER_CONFIG=/run/secrets/docker"]
    assert json.loads(config) == {"auths": {"r.test": {"auth": "dTpw"}}}


def test_without_credentials_there_is_the_socket_alone(tmp_path: Path) -> None:
    document: dict[str, Any] = {"HostConfig": {}}

    assert mounted(document, "tcp://192.0.2.1:2376", _environment(tmp_path, auths=False)) == b""
    assert [each["Source"] for each in document["HostConfig"]["Mounts"]] == ["/var/run/docker.sock"]
    assert "Env" not in document


def test_credentials_are_for_the_containers_root_alone() -> None:
    class Containers:
        def extract(self, name: str, path: str, archive: list[bytes]) -> None:
            self.asked = (name, path, b"".join(archive))

    containers: Any = Containers()
    hand_over(containers, "c1", b"{}")
    name, path, archive = containers.asked
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        found = {entry.name: (entry.mode, entry.uid) for entry in tar}

    assert (name, path) == ("c1", "/")
    assert found == {
        "run": (0o755, 0), "run/secrets": (0o755, 0), "run/secrets/docker": (0o755, 0),
        "run/secrets/docker/config.json": (0o600, 0),
    }  # fmt: skip
