"""How fast a container may receive and send (``--network-rate``): read, and put on its link.

``10mbit`` is both ways, ``50mbit/5mbit`` down to the container and up from it; 0 is no limit. Units as tc(8) has
them: bit, kbit, mbit, gbit (thousands), and bps, kbps, mbps, gbps for bytes.
"""

from __future__ import annotations

import errno
import re

from wharf.errors import InvalidArgument, NotImplementedHere
from wharf.kernel import rtnetlink, traffic
from wharf.kernel.libc import suppress_errno
from wharf.kernel.netlink import Rtnetlink
from wharf.network.endpoint import Endpoint, Rate

_RATE = re.compile(r"(\d+(?:\.\d+)?)(?:([kmg]?)(bit|bps))?", re.IGNORECASE)
_THOUSANDS = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9}
_LEAST_BITS_PER_S = 8_000  # a full packet would take longer than a second below that


def parse(text: str) -> Rate:
    """Return what ``text`` says; '' for no limits. Pure.

    Raises:
        InvalidArgument: it is no rate.
    """
    if not text:
        return Rate()
    down, slash, up = text.partition("/")
    return Rate(_bits(down, text), _bits(up if slash else down, text))


def _bits(part: str, whole: str) -> int:
    found = _RATE.fullmatch(part.strip())
    if not found:
        raise InvalidArgument(f'invalid network rate "{whole}": use a rate such as 10mbit, or DOWN/UP')
    bits = round(float(found[1]) * _THOUSANDS[(found[2] or "").lower()])
    bits *= 8 if (found[3] or "").lower() == "bps" else 1
    if 0 < bits < _LEAST_BITS_PER_S:
        raise InvalidArgument(f'invalid network rate "{whole}": the least is 8kbit')
    return bits


def limit(host: Rtnetlink, endpoint: Endpoint, *, alias: str) -> None:
    """Put an endpoint's limits on its link on the host, where the container cannot take them off.

    Raises:
        NotImplementedHere: this kernel cannot shape.
        OSError: the kernel refused.
    """
    if not (endpoint.rate.down or endpoint.rate.up):
        return
    try:
        index = _index(host, endpoint.host_link)
        if endpoint.rate.down:
            host.execute(traffic.shape(index, endpoint.rate.down))
        if endpoint.rate.up:
            host.execute(*traffic.new_ifb(_ifb(endpoint), alias))
            ifb = _index(host, _ifb(endpoint))
            host.execute(traffic.shape(ifb, endpoint.rate.up), *traffic.lead_through(index, ifb))
    except OSError as error:
        if error.errno not in (errno.EOPNOTSUPP, errno.ENOENT):  # no such link or discipline; no such classifier
            raise
        missing = "this machine's kernel cannot limit a network rate (tbf, ifb, u32 and mirred are needed)"
        raise NotImplementedHere(f"{missing}: {error}") from error


def unlimit(host: Rtnetlink, endpoint: Endpoint) -> None:
    """Remove what :func:`limit` made beside the endpoint's link; idempotent."""
    if endpoint.rate.up:
        with suppress_errno(errno.ENODEV):
            host.execute(rtnetlink.delete_link(_ifb(endpoint)))


def _ifb(endpoint: Endpoint) -> str:
    return f"ifb{endpoint.host_link.removeprefix('veth')}"


def _index(host: Rtnetlink, name: str) -> int:
    link = host.link(name)
    if link is None:
        raise OSError(errno.ENODEV, f"link {name} has gone")
    return link.number
