"""A request of ``POST /build`` as the builder's options. Pure."""

from __future__ import annotations

from wharf.build.convert.options import Options
from wharf.errors import InvalidArgument
from wharf.images.platform import host, parse_platform
from wharf.spec.engine_api.build import BuildRequest
from wharf.spec.engine_api.container import HostConfig

NETWORKS = ("", "default", "bridge", "host", "none")


def options_of(request: BuildRequest) -> Options:
    """Return the options of a build.

    Raises:
        InvalidArgument: one is malformed.
    """
    platform = request.get("platform") or ""
    network = request.get("networkmode") or "default"
    if network.startswith("container:"):
        raise InvalidArgument(f"a build cannot join the network of a container: {network}")
    return Options(
        host=host(),
        platform=parse_platform(platform) if platform else host(),
        target=request.get("target") or "",
        build_args={name: value for name, value in (request.get("buildargs") or {}).items() if value is not None},
        labels=request.get("labels") or {},
        no_cache=bool(request.get("nocache")),
        network="default" if network == "bridge" else network,
        extra_hosts=tuple(request.get("extrahosts") or ()),
        ulimits=tuple(
            (limit.get("Name") or "", limit.get("Soft") or 0, limit.get("Hard") or 0)
            for limit in request.get("ulimits") or ()
        ),
        cgroup_parent=request.get("cgroupparent") or "",
        shm_bytes=request.get("shmsize") or 0,
        resolve_mode="pull" if request.get("pull") else "",
    )


def limits_of(request: BuildRequest) -> HostConfig:
    """Return the limits of a build's commands."""
    limits: HostConfig = {}
    if memory := request.get("memory"):
        limits["Memory"] = memory
    if swap := request.get("memswap"):
        limits["MemorySwap"] = swap
    if shares := request.get("cpushares"):
        limits["CpuShares"] = shares
    if period := request.get("cpuperiod"):
        limits["CpuPeriod"] = period
    if quota := request.get("cpuquota"):
        limits["CpuQuota"] = quota
    if cpus := request.get("cpusetcpus"):
        limits["CpusetCpus"] = cpus
    if mems := request.get("cpusetmems"):
        limits["CpusetMems"] = mems
    return limits
