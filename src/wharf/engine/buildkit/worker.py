"""What this engine tells BuildKit's clients of itself: its one worker, and what of their API it has."""

from __future__ import annotations

from typing import Final

from wharf.engine.context import Context
from wharf.images.platform import Platform as ImagePlatform
from wharf.images.platform import acceptable, host
from wharf.lib.version import __version__
from wharf.spec.buildkit.caps_pb2 import APICap
from wharf.spec.buildkit.ops_pb2 import Platform
from wharf.spec.buildkit.worker_pb2 import BuildkitVersion, WorkerRecord

VERSION: Final = "v0.25.0"
"""The BuildKit whose API is spoken here: clients decide by it what to ask for."""

FRONTEND: Final = (
    "solve.base", "solve.inlinereturn", "resolveimage", "resolveimage.resolvemode", "readfile", "return", "returnmap",
    "readdir", "statfile", "importcaches", "proto.refarray", "reference.output", "frontend.inputs",
    "gateway.solve.metadata", "frontend.caps", "gateway.solve.evaluate", "gateway.evaluate", "gateway.warnings",
    "source.metaresolver", "gateway.exec", "gateway.exec.extrahosts", "gateway.exec.secretenv",
    "gateway.exec.signals",
)  # fmt: skip
LLB: Final = (
    "source.image", "source.image.resolvemode", "source.local", "source.local.unique", "source.local.sessionid",
    "source.local.includepatterns", "source.local.followpaths", "source.local.excludepatterns",
    "source.local.sharedkeyhint", "source.local.differ", "source.git", "source.git.keepgitdir", "source.git.fullurl",
    "source.git.subdir", "source.git.checksum", "source.http", "source.http.checksum", "source.buildop.llbfilename",
    "exec.meta.base", "exec.meta.cgroup.parent", "exec.meta.network", "exec.meta.proxyenv", "exec.meta.security",
    "exec.meta.setsdefaultpath", "exec.meta.ulimit", "exec.mount.bind", "exec.mount.bind.readwrite-nooutput",
    "exec.mount.cache", "exec.mount.cache.sharing", "exec.mount.selector", "exec.mount.tmpfs",
    "exec.mount.tmpfs.size", "exec.mount.secret", "exec.mount.ssh", "exec.cgroup", "exec.secretenv", "file.base",
    "file.rm.wildcard", "file.copy.includeexcludepatterns", "file.copy.requiredpaths", "file.rm.nofollowsymlink",
    "file.copy.modestring", "file.symlink.create", "constraints", "platform", "meta.ignorecache", "meta.description",
    "meta.exportcache", "mergeop", "diffop", "exporter.sourcedateepoch", "exporter.multiple",
    "exporter.image.attestations", "gc.freespacefilter",
)  # fmt: skip


def capabilities(names: tuple[str, ...]) -> list[APICap]:
    """Return capabilities as clients read them."""
    return [APICap(ID=name, Enabled=True) for name in names]


def version() -> BuildkitVersion:
    """Return what this is."""
    return BuildkitVersion(package="wharf", version=VERSION, revision=__version__)


def worker(context: Context) -> WorkerRecord:
    """Return the worker."""
    own = [host(), *(one for one in acceptable(host()) if one != host())]
    return WorkerRecord(
        ID=context.data.key,
        Labels={
            "org.mobyproject.buildkit.worker.executor": "wharf",
            "org.mobyproject.buildkit.worker.network": "bridge",
            "org.mobyproject.buildkit.worker.snapshotter": "overlayfs",  # buildx asks for other exporters only then
        },
        platforms=[Platform(Architecture=one.architecture, OS=one.os, Variant=one.variant) for one in own],
        BuildkitVersion=version(),
    )


def platform_document(platform: ImagePlatform) -> dict[str, str]:
    """Return a platform as clients read it in JSON (OCI image-spec, image-index.md "platform")."""
    found = {"architecture": platform.architecture, "os": platform.os, "variant": platform.variant}
    return {name: value for name, value in found.items() if value}
