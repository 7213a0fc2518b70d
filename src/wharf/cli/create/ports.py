"""``--publish`` and ``--expose``: port specifications to ExposedPorts and PortBindings."""

from __future__ import annotations

from wharf.errors import InvalidArgument

TYPE_CHECKING = False
if TYPE_CHECKING:
    Bindings = dict[str, list[dict[str, str]]]

_PROTOCOLS = frozenset({"tcp", "udp", "sctp"})


def _range(text: str, what: str, spec: str) -> tuple[int, int]:
    first, dash, last = text.partition("-")
    numbers = (first, last if dash else first)
    if not all(number.isascii() and number.isdigit() and int(number) <= 65535 for number in numbers):
        raise InvalidArgument(
            f"invalid {what}: {text}" if what != "containerPort" else f"invalid containerPort: {spec}"
        )
    low, high = int(numbers[0]), int(numbers[1])
    if high < low:
        raise InvalidArgument(f"invalid range specified for port: {text}")
    return low, high


def _protocol(spec: str) -> tuple[str, str]:
    ports, slash, protocol = spec.partition("/")
    protocol = protocol.lower() if slash else "tcp"
    if protocol not in _PROTOCOLS:
        raise InvalidArgument(f"invalid proto: {protocol}")
    return ports, protocol


def exposed(specs: list[str]) -> list[str]:
    """Return the ports of ``--expose`` specifications as ``80/tcp``.

    Raises:
        InvalidArgument: one is malformed.
    """
    found: list[str] = []
    for spec in specs:
        if ":" in spec:
            raise InvalidArgument(f"invalid port format for --expose: {spec}")
        ports, protocol = _protocol(spec)
        low, high = _range(ports, "range format for --expose", spec)
        found += [f"{port}/{protocol}" for port in range(low, high + 1)]
    return found


def _split(spec: str) -> tuple[str, str, str]:
    """Return (address, host ports, container ports)."""
    head, _, container = spec.rpartition(":")
    if not head:
        return "", "", container
    address, _, host = head.rpartition(":")
    if address.startswith("["):
        if not address.endswith("]"):
            raise InvalidArgument(f"invalid IP address: {address}")
        address = address[1:-1]
    return address, host, container


def _check_address(address: str) -> None:
    import _socket  # noqa: PLC0415  # only where a port is published on one address

    for family in (_socket.AF_INET, _socket.AF_INET6):
        try:
            _socket.inet_pton(family, address)
        except OSError:
            continue
        return
    raise InvalidArgument(f"invalid IP address: {address}")


def publish(specs: list[str]) -> Bindings:
    """Return PortBindings of ``--publish`` specifications.

    ``[[address:]host port[-host port]:]port[-port][/protocol]``: ranges pair up; a range of host ports on one
    container port stays a range, from which the engine takes a free one.

    Raises:
        InvalidArgument: one is malformed.
    """
    bindings: Bindings = {}
    for spec in specs:
        ports, protocol = _protocol(_from_fields(spec) if "=" in spec else spec)
        address, host, container = _split(ports)
        if not container:
            raise InvalidArgument(f"no port specified: {spec}<empty>")
        if address:
            _check_address(address)
        for port, host_port in _paired(host, _range(container, "containerPort", container), spec):
            bindings.setdefault(f"{port}/{protocol}", []).append({"HostIp": address, "HostPort": host_port})
    return bindings


def _paired(host: str, container: tuple[int, int], spec: str) -> list[tuple[int, str]]:
    low, high = container
    if not host:
        return [(port, "") for port in range(low, high + 1)]
    first, last = _range(host, "hostPort", spec)
    if last - first == high - low:
        return [(low + i, str(first + i)) for i in range(high - low + 1)]
    if low != high:
        raise InvalidArgument(f"invalid ranges specified for container and host Ports: {low}-{high} and {host}")
    return [(low, f"{first}-{last}")]


def _from_fields(spec: str) -> str:
    """Return the long form (``target=80,published=8080,protocol=tcp``) as a short one."""
    fields = dict(field.partition("=")[::2] for field in spec.split(","))
    unknown = set(fields) - {"target", "published", "protocol", "mode"}
    if unknown or "target" not in fields:
        raise InvalidArgument(f"invalid port specification {spec}")
    published = fields.get("published", "")
    return f"{published}:{fields['target']}/{fields.get('protocol', 'tcp')}"
