"""Shaping what a link sends and what it receives, as requests to rtnetlink (tc(8), tc-tbf(8); linux/pkt_sched.h).

What a link receives cannot be queued there: it is led through an ifb link, which sends it on to itself, shaped.
"""

from __future__ import annotations

import struct

from wharf.kernel import netlink_constants as c
from wharf.kernel.netlink_wire import Request, attribute, nested, text, u32
from wharf.kernel.rtnetlink import link_header

_MESSAGE = struct.Struct("=BxxxiIII")  # tcmsg: family, link, handle, parent, info
_RATE = struct.Struct("=BBHhHI")  # tc_ratespec: cell_log, linklayer, overhead, cell_align, mpu, bytes a second
_BUCKET = struct.Struct("=III")  # what follows two of them in tc_tbf_qopt: limit, buffer, mtu
_SELECTOR = struct.Struct("=BBBx2sHhh4s")  # tc_u32_sel
_KEY = struct.Struct("=4s4sii")  # tc_u32_key
_MIRRED = struct.Struct("=IIiiiiI")  # tc_mirred
_ROOT, _INGRESS, _INGRESS_HANDLE, _ROOT_HANDLE = 0xFFFFFFFF, 0xFFFFFFF1, 0xFFFF0000, 0x10000
_KIND, _OPTIONS = 1, 2
_TBF_PARMS, _TBF_RATE64, _TBF_BURST = 1, 4, 6
_U32_SEL, _U32_ACT = 5, 7
_ACT_KIND, _ACT_OPTIONS, _MIRRED_PARMS = 1, 2, 2
_TERMINAL, _STOLEN, _EGRESS_REDIRECT = 1, 4, 1
_ETHERNET = 1
_ALL_PROTOCOLS = 0x0300  # ETH_P_ALL, in the network's order


def new_ifb(name: str, alias: str) -> list[Request]:
    """Make the link through which another's received packets are led, up."""
    info = nested(c.IFLA_LINKINFO, text(c.IFLA_INFO_KIND, "ifb"))
    made = link_header(up=True) + text(c.IFLA_IFNAME, name) + info
    named = link_header() + text(c.IFLA_IFNAME, name) + attribute(c.IFLA_IFALIAS, alias.encode())
    return [
        Request(c.RTM_NEWLINK, c.NLM_F_CREATE | c.NLM_F_EXCL, made, f"make ifb {name}"),
        Request(c.RTM_NEWLINK, 0, named, f"name {name}"),
    ]


def shape(link: int, bits_per_s: int) -> Request:
    """Send no more than that by the link of that index: a token bucket of 10 ms, and a queue of 50 ms behind it."""
    rate = max(1, bits_per_s // 8)
    burst = max(rate // 100, 16 * 1024)
    limit = burst + max(rate // 20, 16 * 1024)
    clipped = min(rate, 0xFFFFFFFF)
    parms = _RATE.pack(0, _ETHERNET, 0, 0, 0, clipped) + _RATE.pack(0, 0, 0, 0, 0, 0) + _BUCKET.pack(limit, 0, 0)
    options = attribute(_TBF_PARMS, parms) + u32(_TBF_BURST, burst)
    if rate > clipped:
        options += attribute(_TBF_RATE64, struct.pack("=Q", rate))
    return _queue(link, _ROOT_HANDLE, _ROOT, "tbf", options)


def unshape(link: int) -> Request:
    """Send as fast as the link goes; OSError (ENOENT) for one that is not shaped."""
    return _no_queue(link, _ROOT)


def lead_through(link: int, ifb: int) -> list[Request]:
    """Lead all that the link of that index receives through an ifb link."""
    mirred = _MIRRED.pack(0, 0, _STOLEN, 0, 0, _EGRESS_REDIRECT, ifb)
    action = text(_ACT_KIND, "mirred") + nested(_ACT_OPTIONS, attribute(_MIRRED_PARMS, mirred))
    everything = _SELECTOR.pack(_TERMINAL, 0, 1, bytes(2), 0, 0, 0, bytes(4)) + _KEY.pack(bytes(4), bytes(4), 0, 0)
    options = attribute(_U32_SEL, everything) + nested(_U32_ACT, nested(1, action))
    head = _MESSAGE.pack(0, link, 0, _INGRESS_HANDLE, 1 << 16 | _ALL_PROTOCOLS)
    body = head + text(_KIND, "u32") + nested(_OPTIONS, options)
    return [
        _queue(link, _INGRESS_HANDLE, _INGRESS, "ingress", b""),
        Request(c.RTM_NEWTFILTER, c.NLM_F_CREATE | c.NLM_F_EXCL, body, f"lead link {link} through {ifb}"),
    ]


def lead_straight(link: int) -> Request:
    """Lead nothing of what a link receives elsewhere; OSError (ENOENT or EINVAL) where nothing is."""
    return _no_queue(link, _INGRESS)


def _no_queue(link: int, parent: int) -> Request:
    body = _MESSAGE.pack(0, link, 0, parent, 0)
    return Request(c.RTM_DELQDISC, 0, body, f"let link {link} go")


def _queue(link: int, handle: int, parent: int, kind: str, options: bytes) -> Request:
    body = _MESSAGE.pack(0, link, handle, parent, 0) + text(_KIND, kind) + nested(_OPTIONS, options)
    return Request(c.RTM_NEWQDISC, c.NLM_F_CREATE | c.NLM_F_REPLACE, body, f"shape link {link} ({kind})")
