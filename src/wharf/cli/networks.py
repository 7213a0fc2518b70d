"""Networks: create, list, remove, prune, connect, disconnect."""

from __future__ import annotations

from wharf.cli.command import Command
from wharf.cli.confirm import confirmed
from wharf.cli.create.networks import Attachment
from wharf.cli.create.pairs import check_label, to_map
from wharf.cli.flags import Flag
from wharf.cli.moments import as_go_prints
from wharf.cli.output import parse_filters, print_rows
from wharf.client.documents import section, text, texts
from wharf.client.networks import Networks
from wharf.errors import InvalidArgument, NotFound

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
        "CreatedAt": as_go_prints(text(network, "Created")),
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


def _ipam(values: Values) -> Document:
    """Return the IPAM of ``network create``: ranges, gateways and auxiliary addresses go to the subnet they are in.

    Raises:
        InvalidArgument: one is in none.
    """
    config: list[Document] = [{"Subnet": subnet} for subnet in values.items("subnet")]
    for flag, field in (("ip-range", "IPRange"), ("gateway", "Gateway")):
        for value in values.items(flag):
            entry = _home(config, value, flag)
            if field in entry:
                raise InvalidArgument(
                    f"cannot configure multiple {flag}s ({value}, {entry[field]}) on the same subnet"
                )
            entry[field] = value
    for name, address in to_map(values.items("aux-address")).items():
        entry = _home(config, address, "aux-address")
        entry["AuxiliaryAddresses"] = {**section(entry, "AuxiliaryAddresses"), name: address}
    return {
        "Driver": values.text("ipam-driver"),
        "Config": config,
        "Options": to_map(values.items("ipam-opt")),
    }


def _home(config: list[Document], value: str, flag: str) -> Document:
    from ipaddress import ip_interface, ip_network  # noqa: PLC0415  # only for who gives addresses

    try:
        address = ip_interface(value).ip
        found = [e for e in config if address in ip_network(text(e, "Subnet"), strict=False)]
    except ValueError as error:
        raise InvalidArgument(f"invalid {flag} {value}: {error}") from error
    if not found:
        raise InvalidArgument(f"no matching subnet for {flag} {value}")
    return found[0]


def _create(session: Session, values: Values, arguments: list[str]) -> int:
    source = values.text("config-from")
    document: Document = {
        "Name": arguments[0],
        "Driver": "" if values.on("config-only") and not values.given("driver") else values.text("driver"),
        "Scope": values.text("scope"),
        "Internal": values.on("internal"),
        "Attachable": values.on("attachable"),
        "Ingress": values.on("ingress"),
        "ConfigOnly": values.on("config-only"),
        "ConfigFrom": {"Network": source} if source else None,
        "IPAM": _ipam(values),
        "EnableIPv6": values.on("ipv6") if values.given("ipv6") else None,
        "EnableIPv4": values.on("ipv4") if values.given("ipv4") else None,
        "Options": to_map(values.items("opt")),
        "Labels": to_map(values.items("label")),
    }
    answer = Networks(session.client).create(document)
    if warning := text(answer, "Warning"):
        session.warn(f"WARNING: {warning}")
    session.print(text(answer, "Id"))
    return 0


def _rm(session: Session, values: Values, names: list[str]) -> int:
    networks = Networks(session.client)

    def remove(name: str) -> None:
        try:
            networks.remove(name)
        except NotFound:
            if not values.on("force"):
                raise
        else:
            session.print(name)

    return session.each(names, remove, echo=False)


def _prune(session: Session, values: Values, _: list[str]) -> int:
    if not confirmed(values, "This will remove all custom networks not used by at least one container."):
        return 0
    deleted = texts(Networks(session.client).prune(parse_filters(values.items("filter"))), "NetworksDeleted")
    if deleted:
        session.print("Deleted Networks:\n" + "\n".join(deleted) + "\n")
    return 0


def _connect(session: Session, values: Values, arguments: list[str]) -> int:
    network, container = arguments
    wanted = Attachment(network)
    wanted.aliases += values.items("alias")
    wanted.links += values.items("link")
    wanted.link_local += values.items("link-local-ip")
    wanted.driver_options.update(to_map(values.items("driver-opt")))
    wanted.ipv4, wanted.ipv6 = values.text("ip"), values.text("ip6")
    wanted.gateway_priority = values.number("gw-priority")
    Networks(session.client).connect(network, container, wanted.document())
    return 0


def _disconnect(session: Session, values: Values, arguments: list[str]) -> int:
    network, container = arguments
    Networks(session.client).disconnect(network, container, force=values.on("force"))
    return 0


COMMANDS = (
    Command(
        "network connect", _connect, "Join a container to a network", arguments="NETWORK CONTAINER", count=(2, 2),
        flags=(
            Flag("alias", "list", "One more name in this network"),
            Flag("driver-opt", "list", "An option of the driver for this endpoint, key=value"),
            Flag("gw-priority", "int", "The network with the highest one is the way out"),
            Flag("ip", "string", "The IPv4 address, such as 172.30.100.104"),
            Flag("ip6", "string", "The IPv6 address, such as 2001:db8::33"),
            Flag("link", "list", "Find another container by one more name, container:name"),
            Flag("link-local-ip", "list", "One more address, link-local"),
        ),
        examples=("wharf network connect front web", "wharf network connect --alias db --ip 10.1.0.9 back pg"),
    ),
    Command(
        "network create", _create, "Create a network", arguments="NETWORK", count=(1, 1),
        flags=(
            Flag("attachable", "bool", "Any container may join (networks of a swarm)"),
            Flag("aux-address", "list", "An address that no container gets, name=address"),
            Flag("config-from", "string", "The network to copy the configuration from"),
            Flag("config-only", "bool", "Only a configuration for others to copy"),
            Flag("driver", "string", "bridge", short="d", default="bridge"),
            Flag("gateway", "list", "The address of a subnet's gateway"),
            Flag("ingress", "bool", "The routing mesh of a swarm"),
            Flag("internal", "bool", "Nothing leads out of it, or in"),
            Flag("ip-range", "list", "The part of a subnet that addresses are chosen from"),
            Flag("ipam-driver", "string", "Who chooses addresses", default="default"),
            Flag("ipam-opt", "list", "An option of that driver, key=value"),
            Flag("ipv4", "bool", "Give IPv4 addresses", default=True),
            Flag("ipv6", "bool", "Give IPv6 addresses"),
            Flag("label", "list", "A label, key=value", check=check_label),
            Flag("opt", "list", "An option of the driver, key=value", short="o"),
            Flag("scope", "string", "The scope of the network"),
            Flag("subnet", "list", "A subnet, such as 10.1.0.0/24"),
        ),
        examples=("wharf network create back", "wharf network create --internal --subnet 10.1.0.0/24 back"),
    ),
    Command(
        "network disconnect", _disconnect, "Take a container out of a network",
        arguments="NETWORK CONTAINER", count=(2, 2),
        flags=(Flag("force", "bool", "Also one that cannot be reached", short="f"),),
        examples=("wharf network disconnect front web",),
    ),
    Command(
        "network ls", _ls, "List networks",
        flags=(
            Flag("filter", "list", "Only some, such as driver=bridge", short="f"),
            Flag("format", "string", "'table', 'table TEMPLATE', 'json' or a template"),
            Flag("no-trunc", "bool", "Whole ids"),
            Flag("quiet", "bool", "Only ids", short="q"),
        ),
        examples=("wharf network ls",),
    ),
    Command(
        "network prune", _prune, "Remove unused networks",
        flags=(
            Flag("filter", "list", "Only some, such as until=24h"),
            Flag("force", "bool", "Do not ask", short="f"),
        ),
        examples=("wharf network prune -f",),
    ),
    Command(
        "network rm", _rm, "Remove networks", arguments="NETWORK [NETWORK...]", count=(1, None),
        flags=(Flag("force", "bool", "One that does not exist is no failure", short="f"),),
        examples=("wharf network rm back",),
    ),
)  # fmt: skip
