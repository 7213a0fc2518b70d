"""Published ports as ``ps`` shows them: pure."""

from __future__ import annotations

from wharf.client.documents import number, text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wharf.client.documents import Document

    # address, protocol, whether public
    Key = tuple[str, str, bool]


def show_ports(ports: list[Document]) -> str:
    """Return ports as one text, neighbours joined to ranges: ``0.0.0.0:80-81->80-81/tcp, 90/tcp``."""
    runs: list[tuple[Key, int, int, int]] = []  # key, first private, last private, first public
    for port in sorted(ports, key=_order):
        address, protocol = text(port, "IP"), text(port, "Type")
        private, public = number(port, "PrivatePort"), number(port, "PublicPort")
        key = (address, protocol, bool(public))
        if runs and runs[-1][0] == key and _follows(runs[-1], private, public):
            runs[-1] = (key, runs[-1][1], private, runs[-1][3])
        else:
            runs.append((key, private, private, public))
    return ", ".join(_show(*run) for run in runs)


def _order(port: Document) -> tuple[int, str, str, int]:
    return number(port, "PrivatePort"), text(port, "IP"), text(port, "Type"), number(port, "PublicPort")


def _follows(run: tuple[Key, int, int, int], private: int, public: int) -> bool:
    (_, _, is_public), first, last, first_public = run
    return private == last + 1 and (not is_public or public - first_public == private - first)


def _show(key: Key, first: int, last: int, first_public: int) -> str:
    address, protocol, is_public = key
    inside = f"{first}-{last}" if last > first else f"{first}"
    if not is_public:
        return f"{inside}/{protocol}"
    outside = f"{first_public}-{first_public + last - first}" if last > first else f"{first_public}"
    shown = f"[{address}]" if ":" in address else address
    return f"{shown}:{outside}->{inside}/{protocol}" if shown else f"{outside}->{inside}/{protocol}"
