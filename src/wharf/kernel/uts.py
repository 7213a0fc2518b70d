"""The names in a UTS namespace (sethostname(2), setdomainname(2))."""

from __future__ import annotations

from wharf.kernel import libc
from wharf.kernel import light_ctypes as ctypes

_sethostname = libc.prototype("sethostname", ctypes.c_char_p, ctypes.c_size_t)
_setdomainname = libc.prototype("setdomainname", ctypes.c_char_p, ctypes.c_size_t)


def set_hostname(name: str) -> None:
    """Set the host name of this UTS namespace; EINVAL when it is longer than 64 bytes."""
    encoded = name.encode()
    _sethostname(encoded, len(encoded))


def set_domainname(name: str) -> None:
    """Set the NIS domain name of this UTS namespace; EINVAL when it is longer than 64 bytes."""
    encoded = name.encode()
    _setdomainname(encoded, len(encoded))
