"""``wharf network ls``."""

from __future__ import annotations

from wharf.cli.command import Command
from wharf.cli.flags import Flag
from wharf.cli.output import parse_filters, print_rows
from wharf.client.documents import section, text
from wharf.client.networks import Networks

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wharf.cli.command import Session
    from wharf.cli.flags import Values
    from wharf.client.documents import Document


def _truth(network: Document, name: str) -> str:
    return "true" if network.get(name) else "false"


def network_row(network: Document, *, full: bool) -> dict[str, str]:
    """Return the fields of one line of ``network ls``."""
    labels = section(network, "Labels")
    return {
        "ID": text(network, "Id") if full else text(network, "Id")[:12],
        "Name": text(network, "Name"),
        "Driver": text(network, "Driver"),
        "Scope": text(network, "Scope"),
        "CreatedAt": text(network, "Created"),
        "IPv4": _truth(network, "EnableIPv4"),
        "IPv6": _truth(network, "EnableIPv6"),
        "Internal": _truth(network, "Internal"),
        "Labels": ",".join(f"{key}={value}" for key, value in sorted(labels.items())),
    }


def _ls(session: Session, values: Values, _: list[str]) -> int:
    networks = Networks(session.client).list(parse_filters(values.items("filter")))
    rows = [network_row(network, full=values.on("no-trunc")) for network in networks]
    rows.sort(key=lambda row: row["Name"])
    if values.on("quiet") and not values.text("format"):
        for row in rows:
            session.print(row["ID"])
        return 0
    headers = {"ID": "NETWORK ID"}
    print_rows(session, rows, ("ID", "Name", "Driver", "Scope"), template=values.text("format"), headers=headers)
    return 0


COMMANDS = (
    Command(
        "network ls",
        _ls,
        "List networks",
        flags=(
            Flag("filter", "list", "Only some, such as driver=bridge", short="f"),
            Flag("format", "string", "'table', 'table TEMPLATE', 'json' or a template"),
            Flag("no-trunc", "bool", "Whole ids"),
            Flag("quiet", "bool", "Only ids", short="q"),
        ),
        examples=("wharf network ls",),
    ),
)
