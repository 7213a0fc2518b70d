"""How a container is wanted by who creates it, beside its config.json: the command line's options."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    import _socket as socket

    from wharf.spec.oci_runtime import State


class Invocation:
    """What only some callers ask for; without any of it, a container is what the shim wants.

    Attributes:
        start_socket: a listening SEQPACKET socket where init waits to be started, by whoever connects
            (:func:`wharf.runtime.conversation.send` "start"), instead of by the returned object.
        state: what hooks and seccomp agents are told; without it there can be none. The caller runs poststart and
            poststop hooks.
        kept_fds: so many descriptors from 3 on are the program's.
        pivot: enter the root by pivot_root; else by moving it (for a root on a ramfs).
        new_keyring: give it a session keyring of its own.
    """

    __slots__ = ("kept_fds", "new_keyring", "pivot", "start_socket", "state")

    def __init__(
        self,
        *,
        start_socket: socket.socket | None = None,
        state: State | None = None,
        kept_fds: int = 0,
        pivot: bool = True,
        new_keyring: bool = True,
    ) -> None:
        self.start_socket = start_socket
        self.state = state
        self.kept_fds = kept_fds
        self.pivot = pivot
        self.new_keyring = new_keyring

    def __repr__(self) -> str:
        return f"kept_fds={self.kept_fds} pivot={self.pivot} new_keyring={self.new_keyring}"
