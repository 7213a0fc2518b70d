"""What a container uses, from the API's stats documents: pure."""

from __future__ import annotations

from wharf.client.documents import as_document, as_documents, number, section, text
from wharf.lib.sizes import binary_size, human_size

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wharf.client.documents import Document


def cpu_percent(stats: Document) -> float:
    """Return the CPU time between the two readings, as a percentage of one CPU's."""
    used = number(stats, "cpu_stats", "cpu_usage", "total_usage") - number(
        stats, "precpu_stats", "cpu_usage", "total_usage"
    )
    passed = number(stats, "cpu_stats", "system_cpu_usage") - number(stats, "precpu_stats", "system_cpu_usage")
    cpus = number(stats, "cpu_stats", "online_cpus") or len(
        section(stats, "cpu_stats", "cpu_usage").get("percpu_usage") or ()  # type: ignore[arg-type]  # a list or null
    )
    return used / passed * cpus * 100 if used > 0 and passed > 0 else 0.0


def memory_used(stats: Document) -> int:
    """Return the bytes in use without the page cache that the kernel can take back at once."""
    usage, detail = number(stats, "memory_stats", "usage"), section(stats, "memory_stats", "stats")
    # cgroup v1 names it total_inactive_file, v2 inactive_file.
    cache = number(detail, "total_inactive_file") or number(detail, "inactive_file")
    return usage - cache if cache < usage else usage


def _network(stats: Document) -> tuple[int, int]:
    links = [as_document(link) for link in section(stats, "networks").values()]
    return sum(number(link, "rx_bytes") for link in links), sum(number(link, "tx_bytes") for link in links)


def _block(stats: Document) -> tuple[int, int]:
    entries = as_documents(section(stats, "blkio_stats").get("io_service_bytes_recursive"))
    by_kind = {
        kind: sum(number(entry, "value") for entry in entries if text(entry, "op").lower() == kind)
        for kind in ("read", "write")
    }
    return by_kind["read"], by_kind["write"]


def stats_row(asked: str, stats: Document, *, full: bool) -> dict[str, str]:
    """Return the fields of one line of ``stats``, for the container that was ``asked`` for by that name."""
    used, limit = memory_used(stats), number(stats, "memory_stats", "limit")
    percent = used / limit * 100 if limit else 0.0
    container_id = text(stats, "id")
    received, sent = _network(stats)
    read, written = _block(stats)
    return {
        "Container": asked,
        "ID": container_id if full else container_id[:12],
        "Name": text(stats, "name").removeprefix("/"),
        "CPUPerc": f"{cpu_percent(stats):.2f}%",
        "MemUsage": f"{binary_size(used)} / {binary_size(limit)}",
        "MemPerc": f"{percent:.2f}%",
        "NetIO": f"{human_size(received, digits=3)} / {human_size(sent, digits=3)}",
        "BlockIO": f"{human_size(read, digits=3)} / {human_size(written, digits=3)}",
        "PIDs": str(number(stats, "pids_stats", "current")),
    }
