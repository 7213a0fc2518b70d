"""OCI resources as writes, each to the version of control groups that has its controller."""

from __future__ import annotations

import errno

from wharf.kernel.cgroup import v1, v2
from wharf.kernel.userns import inside

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Container

    from wharf.kernel.cgroup.resources import BlockIO, Resources
    from wharf.kernel.cgroup.v1 import Writes


def plan(
    resources: Resources, old: Container[str], *, quota: Callable[[], str], is_file: Callable[[str], bool]
) -> list[Writes]:
    """Return the writes, grouped so that only writes of one controller depend on each other.

    Device rules are here for v1 alone, and not in a user namespace: there they are the machine's root's to set.

    Args:
        resources: as config.json has them.
        old: the controllers that are on v1.
        quota: returns the present quota of the CPU.
        is_file: whether a group has a file.

    Raises:
        OSError: EOPNOTSUPP, EINVAL: a limit that this version does not have, or that makes no sense.
    """
    writes: list[Writes] = [v1.rdma(resources.get("rdma", {}))]
    if "devices" in old and (rules := resources.get("devices")) and not inside():
        writes.append(v1.devices(rules))
    if memory := resources.get("memory"):
        writes.append(v1.memory(memory) if "memory" in old else v2.memory(memory))
    if cpu := resources.get("cpu"):
        writes.append(v1.cpu(cpu) if "cpu" in old else v2.cpu(cpu, quota=quota()))
        writes.append(v1.cpuset(cpu))
    if tasks := resources.get("pids"):
        writes.append(v1.pids(tasks) if "pids" in old else v2.pids(tasks))
    if block := resources.get("blockIO"):
        _check_weights(block)
        bfq = is_file("blkio.bfq.weight" if "blkio" in old else "io.bfq.weight")
        writes.append(v1.blkio(block, bfq=bfq) if "blkio" in old else v2.io(block, bfq=bfq))
    if pages := resources.get("hugepageLimits"):
        writes.append(v1.hugetlb(pages, is_file=is_file, end="limit_in_bytes" if "hugetlb" in old else "max"))
    if network := resources.get("network"):
        writes += [v1.net_cls(network), v1.net_prio(network)]
    writes.append(v2.unified(resources.get("unified", {})))
    return writes


def _check_weights(block: BlockIO) -> None:
    """Refuse a device that is to have a weight, and is given none (config-linux.md "Block IO": one of two)."""
    for device in block.get("weightDevice", ()):
        if "weight" not in device and "leafWeight" not in device:
            numbers = f"{device['major']}:{device['minor']}"
            raise OSError(errno.EINVAL, f"device {numbers} has neither weight nor leafWeight", "blockIO.weightDevice")
