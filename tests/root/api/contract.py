"""A conversation over every route that an engine for one host has, each answer held to the API's definition.

It takes any engine's socket, so the same conversation tells what a dockerd's answers are like.
"""

from __future__ import annotations

import base64
import hashlib
import http.client
import io
import json
import platform
import socket
import tarfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlencode

from tests import engine_api

IMAGE = "busybox"
_TIMEOUT_S = 60


class _Connection(http.client.HTTPConnection):
    def __init__(self, path: str) -> None:
        super().__init__("engine", timeout=_TIMEOUT_S)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(_TIMEOUT_S)
        self.sock.connect(self._path)


@dataclass
class Contract:
    """One version's conversation: what was wrong, and what was seen."""

    socket: str
    version: tuple[int, int]
    faults: set[str] = field(default_factory=set)
    asked: set[str] = field(default_factory=set)  # "GET /info", "GET /info ?name": what a success was asked with
    seen: set[str] = field(default_factory=set)  # "GET /info > Name": fields that answers had

    def ask(
        self,
        method: str,
        path: str,
        names: Mapping[str, str] | None = None,
        query: Mapping[str, object] | None = None,
        body: object = None,
        *,
        wants: int = 200,
        head: Mapping[str, str] | None = None,
    ) -> Any:
        """Ask one endpoint; ``path`` is the definition's own, ``names`` are its parameters."""
        filled = path
        for name, value in (names or {}).items():
            filled = filled.replace(f"{{{name}}}", quote(value, safe="/:"))
        texts = {k: json.dumps(v) if isinstance(v, dict | list) else str(v) for k, v in (query or {}).items()}
        target = f"/v{self.version[0]}.{self.version[1]}{filled}" + (f"?{urlencode(texts)}" if texts else "")
        raw, kind, status = self._send(method, target, body, head or {})
        where = f"{method} {path}"
        if status != wants:
            self.faults.add(f"{where}: {status} instead of {wants}: {raw[:200]!r}")
        documents = _documents(raw, kind) if raw else []
        for document in documents or [None]:
            self._judge(method, path, status, document)
        if status < 300:
            self.asked |= {where, *(f"{where} ?{name}" for name in (*texts, *(head or {})))}
            if isinstance(body, dict):
                self.asked |= {f"{where} {name}" for name in _names(body)}
        return documents[-1] if documents else raw

    def _send(self, method: str, target: str, body: object, head: Mapping[str, str]) -> tuple[bytes, str, int]:
        connection = _Connection(self.socket)
        try:
            fields = dict(head)
            if isinstance(body, bytes):
                fields.setdefault("Content-Type", "application/x-tar")
            elif body is not None:
                body = json.dumps(body)
                fields["Content-Type"] = "application/json"
            connection.request(method, target, body, fields)  # type: ignore[arg-type]  # bytes, text or none
            answer = connection.getresponse()
            return answer.read(), answer.headers.get("Content-Type", ""), answer.status
        finally:
            connection.close()

    def _judge(self, method: str, path: str, status: int, document: object) -> None:
        judge = engine_api.definition(self.version)
        shown = document if document is not None else None
        if shown is not None or judge.answer(method, path, status)[1] is None:
            self.faults |= {
                f"{method} {path} {status} {fault}" for fault in judge.faults(method, path, status, shown)
            }
        schema = judge.answer(method, path, status)[1]
        if schema is not None and document is not None:
            self.seen |= {f"{method} {path} > {name}" for name in judge.fields(schema, document)}


def _documents(raw: bytes, kind: str) -> list[Any]:
    if kind.partition(";")[0] not in ("application/json", "application/x-ndjson", "application/json-seq"):
        return []
    decoder, text, found = json.JSONDecoder(), raw.decode().strip().strip("\x1e"), []
    while text:
        document, end = decoder.raw_decode(text)
        found.append(document)
        text = text[end:].strip().strip("\x1e")
    return found


def _names(document: Mapping[str, object], place: str = "") -> set[str]:
    found = set()
    for name, value in document.items():
        found.add(place + name)
        if isinstance(value, dict):
            found |= _names(value, f"{place}{name}.")
        elif isinstance(value, list):
            for item in value:
                if isinstance(item, dict):
                    found |= _names(item, f"{place}{name}.")
    return found


def archive(**files: bytes) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))
    return out.getvalue()


def layout(name: str) -> bytes:
    """Return an OCI image layout whose index says all that a descriptor may say of an image."""
    blobs: dict[str, bytes] = {}

    def stored(raw: bytes, kind: str) -> dict[str, Any]:
        digest = hashlib.sha256(raw).hexdigest()
        blobs[f"blobs/sha256/{digest}"] = raw
        return {"mediaType": f"application/vnd.oci.image.{kind}", "digest": f"sha256:{digest}", "size": len(raw)}

    tar = archive(file=b"x")
    architecture = {"x86_64": "amd64", "aarch64": "arm64"}[platform.machine()]
    features = {"architecture": architecture, "os": "linux", "os.version": "1", "os.features": ["some"]}
    config = {**features, "rootfs": {"type": "layers", "diff_ids": [f"sha256:{hashlib.sha256(tar).hexdigest()}"]}}
    manifest = {
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": stored(json.dumps(config).encode(), "config.v1+json"),
        "layers": [stored(tar, "layer.v1.tar")],
    }
    said = {"urls": ["https://images.test/a"], "annotations": {"a": "b"}, "platform": features}
    one = {**stored(json.dumps(manifest).encode(), "manifest.v1+json"), **said}
    inner = {"schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json", "manifests": [one]}
    named = {"annotations": {"io.containerd.image.name": name}}
    outer = {"schemaVersion": 2, "manifests": [{**stored(json.dumps(inner).encode(), "index.v1+json"), **named}]}
    files = {"oci-layout": b'{"imageLayoutVersion": "1.0.0"}', "index.json": json.dumps(outer).encode()}
    return archive(**files, **blobs)


def converse(contract: Contract) -> None:
    """Hold the whole conversation; what it makes it removes."""
    _system(contract)
    _networks_and_volumes(contract)
    with suppress_cleanup(contract):
        _containers(contract)
        _images(contract)
    _nowhere(contract)


class suppress_cleanup:  # noqa: N801  # reads as what it does
    """Remove what a conversation that was cut short has left."""

    def __init__(self, contract: Contract) -> None:
        self._contract = contract

    def __enter__(self) -> None:
        pass

    def __exit__(self, *_: object) -> None:
        quiet = Contract(self._contract.socket, self._contract.version)
        for name in ("c-main", "c-made", "c-gone", "c-indexed"):
            quiet.ask("DELETE", "/containers/{id}", {"id": name}, {"force": 1, "v": 1}, wants=204)
        quiet.ask("DELETE", "/networks/{id}", {"id": "c-net"}, wants=204)
        quiet.ask("DELETE", "/volumes/{name}", {"name": "c-vol"}, wants=204)
        for name in ("c-copy:1", "c-commit:1", "c-import:1", "c-build:1", "c-index:1"):
            with suppress(OSError):
                quiet.ask("DELETE", "/images/{name}", {"name": name})


def _system(contract: Contract) -> None:
    ask = contract.ask
    ask("GET", "/_ping")
    ask("HEAD", "/_ping")
    ask("GET", "/version")
    ask("GET", "/info")
    for kind in ("container", "image", "volume", "build-cache"):
        ask("GET", "/system/df", query={"type": kind} if contract.version >= (1, 42) else {})
    ask("GET", "/plugins", query={"filters": {"enabled": ["true"]}})


def _networks_and_volumes(contract: Contract) -> None:
    ask = contract.ask
    ipam = {"Config": [{"Subnet": "10.251.0.0/24", "Gateway": "10.251.0.1", "IPRange": "10.251.0.128/25",
                        "AuxiliaryAddresses": {"router": "10.251.0.2"}}]}  # fmt: skip
    ask(
        "POST",
        "/networks/create",
        body={
            "Name": "c-net",
            "Driver": "bridge",
            "Internal": False,
            "Attachable": True,
            "IPAM": ipam,
            "Options": {"com.docker.network.driver.mtu": "1400"},
            "Labels": {"of": "contract"},
        },
        wants=201,
    )
    ask("POST", "/volumes/create", body={"Name": "c-vol", "Driver": "local", "Labels": {"of": "contract"}}, wants=201)
    ask("GET", "/volumes/{name}", {"name": "c-vol"})
    ask("GET", "/volumes", query={"filters": {"label": ["of=contract"], "dangling": ["true"]}})


def _containers(contract: Contract) -> None:
    ask, main = contract.ask, {"id": "c-main"}
    body = {
        "Image": IMAGE,
        "Cmd": ["sh", "-c", "echo out; echo err >&2; mkdir /made; while :; do sleep 1; done"],
        "Env": ["A=b"],
        "Labels": {"of": "contract"},
        "ExposedPorts": {"80/tcp": {}},
        "Volumes": {"/anon": {}},
        "StopSignal": "SIGKILL",
        "Shell": ["/bin/sh", "-c"],
        "StopTimeout": 1,
        "Healthcheck": {"Test": ["CMD", "true"], "Interval": 10**9, "Timeout": 10**9, "Retries": 2},
        "HostConfig": {
            "NetworkMode": "c-net",
            "Binds": ["c-vol:/data"],
            "PortBindings": {"80/tcp": [{"HostIp": "127.0.0.1", "HostPort": ""}]},
            "RestartPolicy": {"Name": "on-failure", "MaximumRetryCount": 2},
            "Mounts": [{"Type": "tmpfs", "Target": "/tmp/t", "TmpfsOptions": {"SizeBytes": 1 << 20}}],
            "LogConfig": {"Type": "json-file", "Config": {"max-size": "1m"}},
            "Memory": 64 << 20,
        },
        "NetworkingConfig": {"EndpointsConfig": {"c-net": {"Aliases": ["other"]}}},
    }
    ask("POST", "/containers/create", query={"name": "c-main"}, body=body, wants=201)
    ask("GET", "/containers/{id}/json", main)
    ask("POST", "/containers/{id}/start", main, wants=204)
    ask("POST", "/containers/{id}/start", main, wants=304)
    ask("GET", "/containers/{id}/json", main, {"size": 1})
    ask("GET", "/containers/json", query={"all": 1, "limit": 5, "size": 1, "filters": {"label": ["of=contract"]}})
    ask("GET", "/containers/{id}/top", main, {"ps_args": "-o pid,comm"})
    ask("GET", "/containers/{id}/stats", main, {"stream": 0, "one-shot": 1})
    log = {"stdout": 1, "stderr": 1, "timestamps": 1, "tail": 10, "since": 0, "until": 1 << 33, "follow": 0}
    ask("GET", "/containers/{id}/logs", main, log)
    ask("POST", "/containers/{id}/pause", main, wants=204)
    ask("POST", "/containers/{id}/unpause", main, wants=204)
    ask("POST", "/containers/{id}/resize", main, {"h": 24, "w": 80}, wants=200)
    update = {"Memory": 128 << 20, "MemorySwap": 256 << 20, "RestartPolicy": {"Name": "no"}}
    ask("POST", "/containers/{id}/update", main, body=update)
    ask("POST", "/containers/{id}/rename", main, {"name": "c-gone"}, wants=204)
    ask("POST", "/containers/{id}/rename", {"id": "c-gone"}, {"name": "c-main"}, wants=204)
    made = ask(
        "POST",
        "/containers/{id}/exec",
        main,
        body={"Cmd": ["true"], "AttachStdout": True, "Env": ["C=d"], "WorkingDir": "/", "User": "0"},
        wants=201,
    )
    ask("GET", "/exec/{id}/json", {"id": made["Id"]})
    ask("POST", "/exec/{id}/start", {"id": made["Id"]}, body={"Detach": True})
    ask("GET", "/exec/{id}/json", {"id": made["Id"]})
    ask("PUT", "/containers/{id}/archive", main, {"path": "/made"}, archive(file=b"x"))
    ask("HEAD", "/containers/{id}/archive", main, {"path": "/made/file"})
    ask("GET", "/containers/{id}/archive", main, {"path": "/made"})
    ask("GET", "/containers/{id}/changes", main)
    ask("GET", "/networks/{id}", {"id": "c-net"}, {"scope": "local"})
    ask("GET", "/networks", query={"filters": {"name": ["c-net"]}})
    ask("POST", "/networks/{id}/disconnect", {"id": "c-net"}, body={"Container": "c-main", "Force": True})
    ask("POST", "/networks/{id}/connect", {"id": "c-net"}, body={"Container": "c-main"})
    ask("POST", "/commit", query={"container": "c-main", "repo": "c-commit", "tag": "1", "comment": "said",
                                  "author": "me", "pause": 1, "changes": "ENV x=y"}, wants=201)  # fmt: skip
    ask("GET", "/containers/{id}/export", main)
    ask("POST", "/containers/{id}/kill", main, {"signal": "CONT"}, wants=204)
    ask("POST", "/containers/{id}/restart", main, {"t": 0}, wants=204)
    ask("POST", "/containers/{id}/stop", main, {"t": 0}, wants=204)
    ask("POST", "/containers/{id}/stop", main, wants=304)
    ask("POST", "/containers/{id}/wait", main, {"condition": "not-running"})
    ask("GET", "/containers/{id}/json", main)
    ask("GET", "/system/df")
    ask("GET", "/events", query={"since": 0, "until": 1, "filters": {"type": ["container"]}})
    ask("DELETE", "/containers/{id}", main, {"v": 1, "force": 1}, wants=204)
    ask("POST", "/containers/create", query={"name": "c-made"}, body={"Image": IMAGE, "Cmd": ["true"]}, wants=201)
    ask("POST", "/containers/prune", query={"filters": {"label": ["nobody"]}})
    ask("DELETE", "/containers/{id}", {"id": "c-made"}, wants=204)
    ask("POST", "/volumes/prune", query={"filters": {"label": ["nobody"]}})
    ask("DELETE", "/volumes/{name}", {"name": "c-vol"}, {"force": 0}, wants=204)
    ask("POST", "/networks/prune", query={"filters": {"label": ["nobody"]}})
    ask("DELETE", "/networks/{id}", {"id": "c-net"}, wants=204)


def _images(contract: Contract) -> None:
    ask = contract.ask
    auth = {"X-Registry-Auth": base64.urlsafe_b64encode(b"{}").decode()}
    ask("GET", "/images/json", query={"all": 1, "digests": 1, "filters": {"reference": [IMAGE]}})
    ask("GET", "/images/{name}/json", {"name": IMAGE})
    ask("GET", "/images/{name}/json", {"name": "c-commit:1"})
    ask("GET", "/images/{name}/history", {"name": "c-commit:1"})
    ask("POST", "/images/{name}/tag", {"name": IMAGE}, {"repo": "c-copy", "tag": "1"}, wants=201)
    ask("GET", "/images/{name}/get", {"name": "c-copy:1"})
    ask("GET", "/images/get", query={"names": "c-copy:1"})
    ask("POST", "/images/load", query={"quiet": 1}, body=b"junk", wants=200)
    if contract.version >= (1, 54):
        _manifests(contract)
    ask("POST", "/images/create", query={"fromSrc": "-", "repo": "c-import", "tag": "1", "message": "said"},
        body=archive(file=b"x"))  # fmt: skip
    ask("POST", "/build", query={"t": "c-build:1", "dockerfile": "Dockerfile", "rm": 1, "labels": {"a": "b"}},
        body=archive(Dockerfile=b"FROM busybox\nENV a=b\n"))  # fmt: skip
    ask("POST", "/build/prune", query={"all": 1})
    ask("POST", "/images/prune", query={"filters": {"label": ["nobody"]}})
    for name in ("c-copy:1", "c-commit:1", "c-import:1", "c-build:1"):
        ask("DELETE", "/images/{name}", {"name": name}, {"force": 0, "noprune": 0})
    ask("POST", "/images/{name}/push", {"name": "c-nowhere"}, {"tag": "1"}, head=auth)


def _manifests(contract: Contract) -> None:
    """An image that an index lists, and a container of it."""
    ask, image, made = contract.ask, {"name": "c-index:1"}, {"id": "c-indexed"}
    ask("POST", "/images/load", body=layout("docker.io/library/c-index:1"))
    ask("GET", "/images/json", query={"manifests": 1, "identity": 1, "filters": {"reference": ["c-index"]}})
    ask("GET", "/images/{name}/json", image, {"manifests": 1})
    ask(
        "POST",
        "/containers/create",
        query={"name": "c-indexed"},
        body={"Image": "c-index:1", "Cmd": ["x"]},
        wants=201,
    )
    ask("GET", "/containers/{id}/json", made)
    ask("GET", "/containers/json", query={"all": 1})
    ask("POST", "/containers/{id}/start", made, wants=400)
    ask("POST", "/containers/{id}/wait", made)
    ask("DELETE", "/containers/{id}", made, wants=204)
    ask("DELETE", "/images/{name}", image)


def _nowhere(contract: Contract) -> None:
    """Things that are not there, and requests that cannot be."""
    ask, nobody = contract.ask, {"id": "c-nobody"}
    for verb in ("start", "stop", "restart", "kill", "pause", "unpause", "wait"):
        ask("POST", f"/containers/{{id}}/{verb}", nobody, wants=404)
    for what in ("json", "top", "logs", "changes", "export"):
        ask("GET", f"/containers/{{id}}/{what}", nobody, {"stdout": 1}, wants=404)
    ask("POST", "/containers/{id}/update", nobody, body={}, wants=404)
    ask("POST", "/containers/{id}/rename", nobody, {"name": "x1"}, wants=404)
    ask("DELETE", "/containers/{id}", nobody, wants=404)
    ask("POST", "/containers/create", body={"Image": "c-nowhere"}, wants=404)
    ask("POST", "/containers/create", body={}, wants=400)
    ask("POST", "/containers/{id}/exec", nobody, body={"Cmd": ["x"]}, wants=404)
    ask("GET", "/exec/{id}/json", nobody, wants=404)
    ask("POST", "/exec/{id}/start", nobody, body={}, wants=404)
    ask("GET", "/images/{name}/json", {"name": "c-nowhere"}, wants=404)
    ask("GET", "/images/{name}/history", {"name": "c-nowhere"}, wants=404)
    ask("POST", "/images/{name}/tag", {"name": "c-nowhere"}, {"repo": "x"}, wants=404)
    ask("DELETE", "/images/{name}", {"name": "c-nowhere"}, wants=404)
    ask("GET", "/networks/{id}", nobody, wants=404)
    ask("DELETE", "/networks/{id}", nobody, wants=404)
    ask("POST", "/networks/{id}/connect", nobody, body={"Container": "x"}, wants=404)
    ask("GET", "/volumes/{name}", {"name": "c-nowhere"}, wants=404)
    ask("DELETE", "/volumes/{name}", {"name": "c-nowhere"}, wants=404)
    ask("GET", "/swarm", wants=503)
    ask("GET", "/nodes", wants=503)
    ask("GET", "/services", wants=503)
    ask("GET", "/tasks", wants=503)
    ask("GET", "/secrets", wants=503)
    ask("GET", "/configs", wants=503)
