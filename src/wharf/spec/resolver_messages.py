"""What the engine says to the resolver: JSON datagrams over a SEQPACKET socket, ``<run>/resolver.sock``.

``hello`` is answered with ``{"pid": n, "sandboxes": [...]}``: the resolver's process, and the containers that it
serves. All else has no answer. ``begin`` opens a new set of names beside the present one, ``commit``
puts it in its place.
"""

from typing import Literal, NotRequired, TypedDict

PORT = 65353
"""Where the resolver listens in a sandbox, at 127.0.0.11; a firewall there makes that port 53."""
ADDRESS = "127.0.0.11"
MAX_MESSAGE_BYTES = 128 * 1024


class Message(TypedDict):
    """One datagram."""

    op: Literal["hello", "begin", "commit", "name", "unname", "serve", "close", "stop"]
    endpoint: NotRequired[str]  # name, unname
    network: NotRequired[str]  # name
    container: NotRequired[str]  # name, serve, close
    names: NotRequired[list[str]]  # name
    addresses: NotRequired[list[str]]  # name
    networks: NotRequired[list[str]]  # serve: in which its names are looked for, in this order
    links: NotRequired[dict[str, str]]  # serve: lower-case name → id or name of who it alone knows by it
    servers: NotRequired[list[str]]  # serve: where to ask on; none for the host's
    forward: NotRequired[bool]  # serve: False in internal networks
