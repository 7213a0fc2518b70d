"""Wharf: the Docker platform as a Python library.

``wharf.Engine`` runs containers inside any Python program, with no daemon::

    async with wharf.Engine() as engine:
        done = await engine.run("busybox", ["echo", "hi"])
        print(done.stdout)

Names are loaded when first used, so that ``import wharf`` costs nothing.
"""

from __future__ import annotations

import sys

from wharf.lib.version import __version__ as __version__

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wharf.engine.engine import Engine as Engine

if sys.platform != "linux" or sys.maxsize < 2**32:
    raise ImportError("wharf runs on 64-bit Linux only: its containers are the Linux kernel's own")

_EXPORTS = {"Engine": "wharf.engine.engine"}


def __getattr__(name: str) -> object:
    """Load a public name from its defining module (PEP 562)."""
    if name not in _EXPORTS:
        raise AttributeError(f"module 'wharf' has no attribute {name!r}")
    from importlib import import_module  # noqa: PLC0415  # only for who uses the library: start-up is a budget

    return getattr(import_module(_EXPORTS[name]), name)
