"""A Debian base image from Debian's own packages, by mmdebstrap, from the sources that the host's apt uses."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from wharf.errors import InvalidArgument, NotFound, Unavailable
from wharf.images.apt_sources import AptSource, parse_sources, select, without_credentials
from wharf.images.record import host_architecture
from wharf.kernel.process import Stop, run
from wharf.lib.digest import Digest
from wharf.spec.oci_image import ImageConfig

_APT: Final = Path("/etc/apt")
_PACKAGE: Final = re.compile(r"[a-z0-9][a-z0-9+.-]+(?::[a-z0-9]+)?(?:[=/][\w.+~:-]+)?")
_SUITE: Final = re.compile(r"[a-z][a-z0-9-]*")
_PATH: Final = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_TIMEOUT_S: Final = 3600
_KEPT_OPTIONS: Final = re.compile(r'(Acquire::(?:Check-|https?::|Retries)[\w:.-]*) "([^"]*)";')
# apt gives dpkg a session of its own: only the end of a PID namespace is sure to end all, its mounts with it.
_CONFINED: Final = ("unshare", "--pid", "--fork", "--kill-child", "--mount-proc")
_TAIL_LINES: Final = 6
_HOOKS: Final = (
    # What names this host's proxies or credentials, and what apt can fetch again, is not part of an image.
    r'sed -i "/Proxy/d" "$1/etc/apt/apt.conf.d/99mmdebstrap"',
    r'sed -i -E "s#//[^/@ ]*@#//#" "$1/etc/apt/sources.list"',
    r'rm -rf "$1"/var/cache/apt/* "$1"/var/lib/apt/lists/* "$1"/var/cache/debconf/*-old "$1"/var/lib/dpkg/*-old',
    r'rm -f "$1"/var/log/dpkg.log "$1"/var/log/bootstrap.log "$1"/var/log/alternatives.log "$1"/var/log/apt/*',
    r'rm -f "$1/etc/hostname" "$1/etc/resolv.conf" "$1/etc/machine-id"; : > "$1/etc/machine-id"',
)


def check(suite: str, include: Sequence[str]) -> None:
    """Refuse a suite or packages that are not spelt as such. Pure."""
    if not _SUITE.fullmatch(suite):
        raise InvalidArgument(f"{suite!r} is not the name of a Debian suite: name one, as in debian:bookworm")
    for package in include:
        if not _PACKAGE.fullmatch(package):
            raise InvalidArgument(f"{package!r} is not the name of a Debian package")


def host_sources(suite: str) -> list[AptSource]:
    """Return the host's sources for ``suite``; NotFound, with what to do, when there are none."""
    names = [_APT / "sources.list", *sorted((_APT / "sources.list.d").glob("*"))]
    files = {
        str(path): path.read_text(errors="replace")
        for path in names
        if path.suffix in (".list", ".sources") and path.is_file()
    }
    return select(parse_sources(files), suite)


def command(
    suite: str, include: Sequence[str], sources: Sequence[AptSource], options: str, folder: Path
) -> list[str]:
    """Return mmdebstrap's command line; it writes ``rootfs.tar`` and ``log`` below ``folder``. Pure."""
    arguments = [*_CONFINED, "mmdebstrap", "--mode=root", "--variant=minbase", f"--logfile={folder / 'log'}"]
    kept = _KEPT_OPTIONS.findall(options)
    arguments += [f'--aptopt={name} "{value}";' for name, value in kept]
    arguments += ['--aptopt=Acquire::Languages "none";', '--aptopt=APT::Install-Recommends "false";']
    arguments += [f"--customize-hook={hook}" for hook in _HOOKS]
    if include:
        arguments.append(f"--include={','.join(include)}")
    return [*arguments, suite, str(folder / "rootfs.tar"), *(source.line() for source in sources)]


def make(suite: str, include: Sequence[str], folder: Path, stop: Stop) -> Path:
    """Make a root file system and return its archive, below ``folder``; blocking, minutes. Needs root.

    Raises:
        InvalidArgument: a package or the suite does not exist.
        NotFound: the host has no sources for the suite, or no mmdebstrap.
        Unavailable: mmdebstrap failed; the message has the end of what it said. Or it was ended by ``stop``.
    """
    check(suite, include)
    sources = host_sources(suite)
    if shutil.which("mmdebstrap") is None:
        raise NotFound("mmdebstrap does not exist: install Debian's package mmdebstrap (apt-get install mmdebstrap)")
    options = run(["apt-config", "dump"], timeout_s=30).stdout.decode(errors="replace")
    environment = {"PATH": _PATH, "LC_ALL": "C.UTF-8", "TMPDIR": str(folder), "DEBIAN_FRONTEND": "noninteractive"}
    if epoch := os.environ.get("SOURCE_DATE_EPOCH"):
        environment["SOURCE_DATE_EPOCH"] = epoch
    arguments = command(suite, include, sources, options, folder)
    done = run(arguments, environment=environment, timeout_s=_TIMEOUT_S, stop=stop)
    if done.code != 0:
        raise _failure(folder / "log", done.stderr, done.code)
    return folder / "rootfs.tar"


def _failure(log: Path, said: bytes, code: int) -> Exception:
    lines = log.read_text(errors="replace").splitlines() if log.exists() else []
    lines += said.decode(errors="replace").splitlines()
    missing = [
        line for line in lines if "Unable to locate package" in line or "has no installation candidate" in line
    ]
    if missing:
        return InvalidArgument(without_credentials("; ".join(line.removeprefix("E: ").strip() for line in missing)))
    errors = [line for line in lines if line.startswith(("E:", "W:", "dpkg: error"))] or lines
    return Unavailable(without_credentials(f"mmdebstrap failed ({code}): " + "; ".join(errors[-_TAIL_LINES:])))


def configuration(suite: str, include: Sequence[str], diff_id: Digest) -> ImageConfig:
    """Return the image's configuration; its time is SOURCE_DATE_EPOCH, else now."""
    epoch = os.environ.get("SOURCE_DATE_EPOCH")
    moment = datetime.fromtimestamp(int(epoch), UTC) if epoch else datetime.now(UTC)
    created = moment.strftime("%Y-%m-%dT%H:%M:%SZ")
    packages = f" --include {','.join(include)}" if include else ""
    return {
        "created": created,
        "architecture": host_architecture(),
        "os": "linux",
        "config": {"Env": [f"PATH={_PATH}"], "Cmd": ["bash"]},
        "rootfs": {"type": "layers", "diff_ids": [diff_id]},
        "history": [
            {
                "created": created,
                "created_by": f"wharf image bootstrap debian:{suite}{packages}",
                "comment": "mmdebstrap --variant=minbase",
            }
        ],
    }
