"""Moving a network device into another namespace, with its addresses (rtnetlink(7), network_namespaces(7))."""

from __future__ import annotations

import os
import struct

from wharf.kernel import namespace
from wharf.kernel import netlink_constants as c
from wharf.kernel.netlink import Rtnetlink
from wharf.kernel.netlink_wire import Request, attribute
from wharf.kernel.rtnetlink import link_up

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

_LINK: Final = struct.Struct("=BxHiII")  # family, type, index, flags, change
_ADDRESS: Final = struct.Struct("=BBBBi")  # family, prefix length, flags, scope, index
_ATTRIBUTE: Final = struct.Struct("=HH")
_NEWNET: Final = int(namespace.Clone.NEWNET)
_PERMANENT: Final = 0x80
_UNIVERSE: Final = 0
_IFA_CACHEINFO: Final = 6


class _Socket(Rtnetlink):
    def addresses_of(self, index: int) -> list[bytes]:
        """Return the permanent addresses of global scope of a link, as the kernel spells them."""
        bodies = [body[2:] for body in self._dump(c.RTM_GETADDR, c.RTM_NEWADDR, bytes(_ADDRESS.size))]
        return [body for body in bodies if is_kept(body, index)]


def is_kept(body: bytes, index: int) -> bool:
    """Whether this address, a struct ifaddrmsg with attributes, is one of link ``index`` that goes with it."""
    _, _, flags, scope, link = _ADDRESS.unpack_from(body)
    return link == index and scope == _UNIVERSE and bool(flags & _PERMANENT)


def move(name: str, new_name: str, target: int) -> str:
    """Move the device ``name`` of our network namespace into another, where it is up and has its addresses again.

    For single-threaded processes: the caller is in the other namespace for a moment.

    Args:
        name: here.
        new_name: there; the kernel completes "%d" in it.
        target: descriptor of the other namespace.

    Returns:
        its name there.

    Raises:
        OSError: ENODEV: there is no such device; EEXIST: the name is taken; EINVAL: it cannot be moved.
    """
    home = os.open("/proc/self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
    try:
        with _Socket() as here:
            link = here.link(name)
            if link is None:
                raise OSError(19, "No such device", name)
            addresses = here.addresses_of(link.number)
            before = _names_in(target, home)
            attributes = attribute(c.IFLA_NET_NS_FD, struct.pack("=I", target))
            attributes += attribute(c.IFLA_IFNAME, new_name.encode() + b"\0")
            body = _LINK.pack(0, 0, link.number, 0, 0) + attributes
            here.execute(Request(c.RTM_NEWLINK, 0, body, f"move {name}"))
        return _settle(target, home, before, addresses)
    finally:
        os.close(home)


def _names_in(target: int, home: int) -> set[str]:
    namespace.setns(target, _NEWNET)
    try:
        with Rtnetlink() as there:
            return {link.name for link in there.links()}
    finally:
        namespace.setns(home, _NEWNET)


def _settle(target: int, home: int, before: set[str], addresses: list[bytes]) -> str:
    namespace.setns(target, _NEWNET)
    try:
        with Rtnetlink() as there:
            (link,) = (link for link in there.links() if link.name not in before)
            flags, what = c.NLM_F_CREATE | c.NLM_F_EXCL, f"give {link.name} its address"
            requests = [Request(c.RTM_NEWADDR, flags, moved(body, link.number), what) for body in addresses]
            there.execute(*requests, link_up(link.name))
            return link.name
    finally:
        namespace.setns(home, _NEWNET)


def moved(body: bytes, index: int) -> bytes:
    """Return the same address for link ``index``, without its times."""
    family, prefix, flags, scope, _ = _ADDRESS.unpack_from(body)
    result = _ADDRESS.pack(family, prefix, flags, scope, index)
    offset = _ADDRESS.size
    while offset + _ATTRIBUTE.size <= len(body):
        length, kind = _ATTRIBUTE.unpack_from(body, offset)
        if length < _ATTRIBUTE.size:
            break
        if kind != _IFA_CACHEINFO:
            result += attribute(kind, body[offset + _ATTRIBUTE.size : offset + length])
        offset += (length + 3) & ~3
    return result
