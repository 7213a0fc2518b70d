"""Every path Wharf uses on disk, drawn as trees.

::

    DATA ROOT  /var/lib/wharf            survives a reboot; a plain user has roots of their own: wharf.lib.places
    ├── wharf.db                         names, records, allocations (SQLite, WAL)
    ├── engine.lock                      held by the one Engine that owns this root (flock)
    ├── storage-driver                   how its containers' roots are kept (``roots``); overlay2 when it is missing
    ├── content/                         an OCI image layout: oci-layout, index.json, blobs/sha256/<hex>
    │   └── ingest/                      blobs on their way in
    ├── snapshots/<chain id hex>/fs      an unpacked layer, read-only once it has its name
    │                           /tree    with btrfs, a subvolume of it and all below; made again when it is missing
    ├── ingest/                          layers on their way in
    ├── containers/<id>/
    │   ├── upper/ work/                 the container's own layer (overlay), or its root (vfs, btrfs)
    │   ├── merged/                      its root, while it runs (fuse-overlayfs)
    │   ├── hosts hostname resolv.conf   bind-mounted into it
    │   ├── <id>-json.log[.N[.gz]]       its log, in Docker's json-file form, whatever the driver
    │   └── log-cursor                   how far that has been delivered, with drivers that send it elsewhere
    ├── volumes/<name>/_data
    ├── plugins/<id>/                    one plugin: its image unpacked, what it mounts (``wharf.engine.plugins``)
    └── build/
        ├── work/<id>/                   one build's contexts, downloads and running steps; swept at start
        ├── contexts/<key>/              a client's folder as its last build saw it: only changes are sent
        └── mounts/<digest>/fs           what RUN --mount=type=cache keeps

    RUN ROOT   /run/wharf                is lost at a reboot; roots/<key> in it, while another data root has an engine
    ├── shims/<id>/                      lock, shim.sock, exit.json (see wharf.shim)
    ├── graves/<random>/                 what is left of removed shims' folders; swept at start
    ├── netns/<id>                       the container's network namespace (nsfs bind mount)
    ├── plugins/<id>/                    its bundle, and in ``sockets`` where it listens
    ├── resolver.sock                    where the engine tells the resolver names
    ├── seccomp/<digest>.newer.bpf       compiled filters, for all roots
    └── build/<id>/                      secrets and agents of a running step
"""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from wharf.lib.places import Places, places


def default_places() -> Places:
    """Return where the engine of whoever runs this keeps its things: the machine's, or a user's own."""
    return places(os.geteuid(), os.environ)


@cache
def root_key(data_root: Path) -> str:
    """Return the 8 hex digits that name this data root's cgroups, links and firewall tables on the host.

    Derived from the path alone, so that an engine finds what an earlier one of the same root left behind.
    """
    return hashlib.sha256(str(data_root.resolve()).encode()).hexdigest()[:8]


@dataclass(frozen=True, slots=True)
class DataRoot:
    """Paths below the data root; nothing here touches the disk."""

    path: Path

    @property
    def key(self) -> str:
        """The name of this root on the host (see :func:`root_key`)."""
        return root_key(self.path)

    @property
    def database(self) -> Path:
        """The metadata database."""
        return self.path / "wharf.db"

    @property
    def lock(self) -> Path:
        """The lock of the engine that owns the root."""
        return self.path / "engine.lock"

    @property
    def driver(self) -> Path:
        """Names the storage driver."""
        return self.path / "storage-driver"

    @property
    def content(self) -> Path:
        """The content store: an OCI image layout."""
        return self.path / "content"

    @property
    def snapshots(self) -> Path:
        """Unpacked layers, by chain id."""
        return self.path / "snapshots"

    @property
    def ingest(self) -> Path:
        """Layers being unpacked; swept when an engine starts."""
        return self.path / "ingest"

    @property
    def containers(self) -> Path:
        """One folder a container."""
        return self.path / "containers"

    def container(self, container_id: str) -> Path:
        """The folder of one container: its OCI bundle."""
        return self.containers / container_id

    def log(self, container_id: str) -> Path:
        """The json-file log of one container."""
        return self.container(container_id) / f"{container_id}-json.log"

    @property
    def build_work(self) -> Path:
        """One folder a running build."""
        return self.path / "build" / "work"

    @property
    def build_contexts(self) -> Path:
        """One folder a context that came over a session."""
        return self.path / "build" / "contexts"

    @property
    def build_records(self) -> Path:
        """One file a build that has ended."""
        return self.path / "build" / "records"

    @property
    def build_mounts(self) -> Path:
        """One folder a cache of RUN --mount."""
        return self.path / "build" / "mounts"

    @property
    def volumes(self) -> Path:
        """One folder a volume of the local driver."""
        return self.path / "volumes"

    def volume(self, name: str) -> Path:
        """The data of one volume."""
        return self.volumes / name / "_data"

    @property
    def plugins(self) -> Path:
        """One folder a plugin that is installed."""
        return self.path / "plugins"

    def plugin(self, plugin_id: str) -> Path:
        """The folder of one plugin."""
        return self.plugins / plugin_id


@dataclass(frozen=True, slots=True)
class RunRoot:
    """Paths below the run root; nothing here touches the disk."""

    path: Path
    shared: Path | None = None  # what engines of several roots have in common is there, if not here

    @property
    def shims(self) -> Path:
        """One folder a running container (see :mod:`wharf.shim`)."""
        return self.path / "shims"

    @property
    def graves(self) -> Path:
        """Where folders of shims go on their way out."""
        return self.path / "graves"

    def shim(self, container_id: str) -> Path:
        """The folder of one shim."""
        return self.shims / container_id

    @property
    def netns(self) -> Path:
        """Bind mounts that keep network namespaces alive."""
        return self.path / "netns"

    def sandbox(self, container_id: str) -> Path:
        """The network namespace of one container."""
        return self.netns / container_id

    @property
    def resolver(self) -> Path:
        """The socket of the resolver, which serves names to containers (see :mod:`wharf.resolver`)."""
        return self.path / "resolver.sock"

    @property
    def cni(self) -> Path:
        """What CNI plugins were run with, one file an endpoint."""
        return self.path / "cni"

    @property
    def seccomp(self) -> Path:
        """Compiled seccomp filters by digest of their source."""
        return (self.shared or self.path) / "seccomp"

    @property
    def plugins(self) -> Path:
        """One folder a plugin that runs."""
        return self.path / "plugins"

    def plugin(self, plugin_id: str) -> Path:
        """The bundle of one plugin."""
        return self.plugins / plugin_id

    def plugin_streams(self, plugin_id: str) -> Path:
        """What one log plugin of the engine's own is to read, a FIFO a container."""
        return self.plugin(plugin_id) / "logging"

    @property
    def logging(self) -> Path:
        """What log plugins that run by themselves are to read, a FIFO a container."""
        return self.path / "logging"

    @property
    def build(self) -> Path:
        """One folder a running step that has secrets."""
        return self.path / "build"


def run_root_of(data_root: Path) -> RunRoot:
    """Return the run root that belongs to ``data_root``: the default's own, or a folder of its own below that."""
    default = default_places()
    if data_root.resolve() == Path(default.data_root).resolve():
        return RunRoot(Path(default.run_root))
    shared = Path(default.run_root)
    return RunRoot(shared / "roots" / root_key(data_root), shared)
