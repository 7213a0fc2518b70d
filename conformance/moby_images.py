"""Stand-ins for the images that moby's tests have at hand, of busybox alone, as ``docker save`` would write them."""

from __future__ import annotations

import json
import tarfile
from hashlib import sha256
from io import BytesIO

_NAMES = ("root", "daemon", "bin", "sys", "sync", "mail", "www-data", "operator", "nobody")
_IDS = (0, 1, 2, 3, 4, 8, 33, 37, 65534)
_GROUPS = {
    "root": 0, "daemon": 1, "bin": 2, "sys": 3, "adm": 4, "tty": 5, "disk": 6, "mail": 8, "kmem": 9, "wheel": 10,
    "audio": 29, "www-data": 33, "operator": 37, "staff": 50, "users": 100, "nobody": 65534,
}  # fmt: skip
_PATH = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_HELLO = ("/bin/echo", "Hello from Docker!")
_IMAGES: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("busybox:latest", "amd64", ("sh",)),
    ("busybox:glibc", "amd64", ("sh",)),
    ("debian:bookworm-slim", "amd64", ("bash",)),
    ("hello-world:frozen", "amd64", _HELLO),
    ("hello-world:amd64", "amd64", _HELLO),
    ("hello-world:arm64", "arm64", _HELLO),
)


def archive(layer: bytes) -> bytes:
    """Return all images in one archive, each of ``layer`` with the accounts of busybox's image and its own label."""
    files: dict[str, bytes] = {}
    manifest = []
    for name, architecture, command in _IMAGES:
        content = _with_accounts(layer, name)
        diff_id = sha256(content).hexdigest()
        config = json.dumps(
            {
                "architecture": architecture,
                "os": "linux",
                "created": "2024-09-26T21:31:42Z",
                "config": {"Cmd": list(command), "Env": [_PATH]},
                "rootfs": {"type": "layers", "diff_ids": [f"sha256:{diff_id}"]},
                "history": [{"created": "2024-09-26T21:31:42Z", "created_by": "a stand-in"}],
            }
        ).encode()
        place, file = f"{diff_id}/layer.tar", f"{sha256(config).hexdigest()}.json"
        files |= {place: content, file: config}
        manifest.append({"Config": file, "RepoTags": [name], "Layers": [place]})
    out = BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for path, content in {**files, "manifest.json": json.dumps(manifest).encode()}.items():
            _add(tar, path, content)
    return out.getvalue()


def _add(tar: tarfile.TarFile, path: str, content: bytes) -> None:
    entry = tarfile.TarInfo(path)
    entry.size = len(content)
    tar.addfile(entry, BytesIO(content))


def _with_accounts(layer: bytes, name: str) -> bytes:
    users = "".join(f"{user}:x:{uid}:{uid}:{user}:/:/bin/sh\n" for user, uid in zip(_NAMES, _IDS, strict=True))
    replaced = {
        "etc/passwd": users.replace("root:/:", "root:/root:").encode(),
        "etc/group": "".join(f"{group}:x:{gid}:\n" for group, gid in _GROUPS.items()).encode(),
        "etc/image": name.encode(),  # no two have the same layer: what removes one shows what it removed
    }
    out = BytesIO()
    with tarfile.open(fileobj=BytesIO(layer)) as old, tarfile.open(fileobj=out, mode="w") as tar:
        for entry in old:
            if entry.name in replaced:
                continue
            tar.addfile(entry, old.extractfile(entry) if entry.isreg() else None)
        for path, content in replaced.items():
            _add(tar, path, content)
    return out.getvalue()
