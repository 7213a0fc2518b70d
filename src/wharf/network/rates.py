"""How fast a container may receive and send (``--network-rate``): read, and put on its link.

``10mbit`` is both ways, ``50mbit/5mbit`` down to the container and up from it; 0 is no limit. Units as tc(8) has
them: bit, kbit, mbit, gbit (thousands), and bps, kbps, mbps, gbps for bytes.
"""

from __future__ import annotations

import errno
import re
from dataclasses import dataclass

from wharf.errors import InvalidArgument, NotImplementedHere
from wharf.kernel import rtnetlink, traffic
from wharf.kernel.libc import suppress_errno
from wharf.kernel.netlink import Link, Rtnetlink
from wharf.network.endpoint import UNLIMITED, Endpoint, Rate

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


@dataclass(frozen=True, slots=True)
class Meter:
    """Where a container's packets are held up."""

    link: str  # by name
    ifb: str  # the name of the link through which goes what ``link`` receives; its alias is that of ``link``
    inside: bool = False  # whether the link is the container's own, and so sends what goes up


def meter(endpoint: Endpoint) -> Meter:
    """Return where an endpoint's packets are held up: on the host if it has a link there, else in its sandbox. Pure.

    On the host the container cannot take its limits off; in a sandbox it can if it may administer its network.
    """
    if endpoint.host_link:
        return Meter(endpoint.host_link, f"ifb{endpoint.host_link.removeprefix('veth')}")
    return Meter(endpoint.interface, f"ifb{endpoint.id[:7]}", inside=True)


def limit(netlink: Rtnetlink, at: Meter, rate: Rate, *, was: Rate = UNLIMITED) -> None:
    """Make ``rate`` the limits of a container, in place of ``was``; ``netlink`` is of the namespace of ``at``.

    A limit that only becomes another one is there all the while. Whatever an earlier call that was killed has left is
    put right, as long as ``was`` is no more than what was complete before it.

    Raises:
        NotImplementedHere: this kernel cannot shape.
        OSError: the kernel refused.
    """
    if rate == was == UNLIMITED:
        return
    try:
        link = _link(netlink, at.link)
        _limit_sent(netlink, link.number, *((of.up if at.inside else of.down) for of in (rate, was)))
        _limit_received(netlink, at, link, *((of.down if at.inside else of.up) for of in (rate, was)))
    except OSError as error:
        if error.errno not in (errno.EOPNOTSUPP, errno.ENOENT):  # no such link or discipline; no such classifier
            raise
        missing = "this machine's kernel cannot limit a network rate (tbf, ifb, u32 and mirred are needed)"
        raise NotImplementedHere(f"{missing}: {error}") from error


def _limit_sent(netlink: Rtnetlink, index: int, bits_per_s: int, was: int) -> None:
    if bits_per_s:
        netlink.execute(traffic.shape(index, bits_per_s))
    elif was:
        with suppress_errno(errno.ENOENT):  # it is off already
            netlink.execute(traffic.unshape(index))


def _limit_received(netlink: Rtnetlink, at: Meter, link: Link, bits_per_s: int, was: int) -> None:
    if not (bits_per_s or was):
        return
    ifb = netlink.link(at.ifb) if bits_per_s and was else None
    if ifb:
        netlink.execute(traffic.shape(ifb.number, bits_per_s))
        return
    with suppress_errno(errno.ENOENT, errno.EINVAL):  # it is led nowhere
        netlink.execute(traffic.lead_straight(link.number))
    remove(netlink, at)
    if bits_per_s:
        netlink.execute(*traffic.new_ifb(at.ifb, link.alias))
        made = _link(netlink, at.ifb).number
        netlink.execute(traffic.shape(made, bits_per_s), *traffic.lead_through(link.number, made))


def remove(netlink: Rtnetlink, at: Meter) -> None:
    """Remove what :func:`limit` made beside a link that has gone or goes; idempotent."""
    with suppress_errno(errno.ENODEV):
        netlink.execute(rtnetlink.delete_link(at.ifb))


def _link(netlink: Rtnetlink, name: str) -> Link:
    link = netlink.link(name)
    if link is None:
        raise OSError(errno.ENODEV, f"link {name} has gone")
    return link
