"""The engine's side of the resolver: starts it, hands sandboxes and names over, says them again after a crash.

Everything here blocks for well under a millisecond; called on worker threads. (docs/decisions/resolver.md)
"""

from __future__ import annotations

import logging
import os
import select
import signal
import socket
import sys
import sysconfig
import threading
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path

import wharf
from wharf.kernel import process, sockets
from wharf.kernel.nftables import Nftables
from wharf.network.endpoint import Endpoint
from wharf.network.sandbox import Inside
from wharf.spec.resolver_messages import ADDRESS, MAX_MESSAGE_BYTES, PORT, Message
from wharf.storage.layout import RunRoot

log = logging.getLogger(__name__)

_TIMEOUT_S = 5.0
_REMEMBERED = 1024
_SOCKET_FD = 3
_RULES = f"""table ip wharf_names
delete table ip wharf_names
table ip wharf_names {{
\tchain in {{
\t\ttype filter hook input priority 300; policy accept;
\t\tip daddr {ADDRESS} udp dport 53 udp dport set {PORT}
\t\tip daddr {ADDRESS} tcp dport 53 tcp dport set {PORT}
\t}}
\tchain out {{
\t\ttype filter hook output priority -300; policy accept;
\t\tip saddr {ADDRESS} udp sport {PORT} udp sport set 53
\t\tip saddr {ADDRESS} tcp sport {PORT} tcp sport set 53
\t}}
}}
"""


def needed(endpoints: Iterable[Endpoint]) -> bool:
    """Return whether a container with these endpoints finds others by name. Pure."""
    return any(endpoint.names for endpoint in endpoints)


def view(container_id: str, endpoints: Sequence[Endpoint]) -> Message:
    """Return what the resolver must know of a container with these endpoints. Pure."""
    return {
        "op": "serve",
        "container": container_id,
        "networks": [endpoint.network_id for endpoint in endpoints if endpoint.names],
        "links": {alias.lower(): other for endpoint in endpoints for other, alias in endpoint.links},
        "servers": list(next((e.servers for e in endpoints if e.servers), ())),
        "forward": any(endpoint.gateway or endpoint.gateway6 for endpoint in endpoints),
    }


def naming(endpoint: Endpoint) -> Message:
    """Return what the resolver must know of an endpoint that others find by name. Pure."""
    return {
        "op": "name",
        "endpoint": endpoint.id,
        "network": endpoint.network_id,
        "container": endpoint.container_id,
        "names": [qualified for n in endpoint.names for qualified in (f"{n}.{endpoint.network_name}", n)],
        "addresses": [address for address in (endpoint.ipv4, endpoint.ipv6) if address],
    }


def open_in(inside: Inside) -> tuple[socket.socket, socket.socket]:
    """Return the resolver's two sockets in the sandbox that this thread is in; port 53 there leads to them.

    A port of their own, translated without connection tracking: a container may serve port 53 itself.
    """
    inside.step("names")
    rules = Nftables()
    try:
        rules.run_script(_RULES)
    finally:
        rules.close()
    with ExitStack() as undo:
        datagrams = undo.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        stream = undo.enter_context(socket.socket(socket.AF_INET, socket.SOCK_STREAM))
        for made in (datagrams, stream):
            # The resolver may still hold the ones of a time before.
            made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            made.bind((ADDRESS, PORT))
        stream.listen(16)
        undo.pop_all()
    return datagrams, stream


class Names:
    """The connection to the resolver, which is started with the first sandbox that needs one."""

    def __init__(self, run: RunRoot) -> None:
        self._path = str(run.resolver)
        self._lock = threading.RLock()
        self._sock: socket.socket | None = None
        self._pid = 0
        self._left: deque[str] = deque(maxlen=_REMEMBERED)  # endpoints whose records may not be gone yet
        self._heard: Callable[[int], object] | None = None

    def serve(self, container_id: str, endpoints: Sequence[Endpoint], opened: Sequence[socket.socket] = ()) -> None:
        """Tell of a container's endpoints, and hand over the sockets in its sandbox when they are new."""
        for endpoint in endpoints:
            if endpoint.id in self._left:  # its making failed, and is tried again
                self._left.remove(endpoint.id)
            if endpoint.names:
                self._send(naming(endpoint))
        self._send(view(container_id, endpoints), [sock.fileno() for sock in opened])

    def view(self, container_id: str, endpoints: Sequence[Endpoint]) -> None:
        """Tell what a container that is served sees now."""
        self._send(view(container_id, endpoints))

    def leave(self, endpoints: Sequence[Endpoint]) -> None:
        """Forget endpoints; idempotent."""
        with self._lock:
            self._left.extend(endpoint.id for endpoint in endpoints)
        if self._sock:
            for endpoint in endpoints:
                if endpoint.names:
                    self._send({"op": "unname", "endpoint": endpoint.id})

    def close_sandbox(self, container_id: str) -> None:
        """Give a container's sandbox up; idempotent."""
        if self._sock:
            self._send({"op": "close", "container": container_id})

    def settle(self) -> set[str]:
        """Wait until the resolver has done all that it was told; return the containers that it serves."""
        with self._lock:
            if not self._sock:
                return set()
            sockets.send(self._sock, {"op": "hello"})
            answer = sockets.receive(self._sock, MAX_MESSAGE_BYTES)
            if not answer:
                return set()
            # Another engine of this very process may have started it: then it is ours to reap.
            self._pid = answer[0]["pid"]
        return set(answer[0]["sandboxes"])

    def resume(self, recorded: Callable[[], Sequence[Endpoint]]) -> tuple[set[str], Sequence[Endpoint]]:
        """Take up the resolver that an earlier engine left, or another in place of one that has ended.

        All names of ``recorded`` are said again, and no others. Nobody says names meanwhile, so none is lost. Returns
        the containers that are served already, and the endpoints.
        """
        with self._lock:
            endpoints = [endpoint for endpoint in recorded() if endpoint.id not in self._left]
            if not (needed(endpoints) or os.path.exists(self._path)) or not self._connected(needed(endpoints)):
                return set(), endpoints
            served = self.settle()
            self._send({"op": "begin"})
            for endpoint in endpoints:
                if endpoint.names:
                    self._send(naming(endpoint))
            self._send({"op": "commit"})
            live = {endpoint.container_id for endpoint in endpoints}
            for gone in served - live:
                self.close_sandbox(gone)
            return served & live, endpoints

    def _connected(self, start: bool) -> bool:  # noqa: FBT001  # a fact
        """Return whether there is a connection to a resolver that lives; a dead one's is closed before."""
        if self._sock:
            # It says nothing of itself: what can be read is its end.
            poll = select.poll()
            poll.register(self._sock, select.POLLIN)
            if not poll.poll(0):
                return True
            self.close()
        return self._connect(start=start)

    def watch(self, heard: Callable[[int], object] | None) -> None:
        """Call ``heard`` with the process of the resolver, now and whenever there is another, on any thread."""
        with self._lock:
            self._heard = heard
            if heard and self._sock:
                heard(self._pid)

    def stop(self) -> None:
        """End the resolver, and wait for its end: no container needs it."""
        with self._lock:
            if self._sock:
                self._end(self._sock)
            self.close()
            Path(self._path).unlink(missing_ok=True)

    def _end(self, sock: socket.socket) -> None:
        try:
            sockets.send(sock, {"op": "stop"})
            sock.recv(1)
        except (BrokenPipeError, ConnectionResetError):
            pass  # it has ended already
        except TimeoutError:
            if self._pid:
                os.kill(self._pid, signal.SIGKILL)
        self._reap(0)

    def close(self) -> None:
        """Hang up; the resolver goes on."""
        with self._lock:
            if self._sock:
                self._sock.close()
                self._sock = None
            self._reap(os.WNOHANG)

    def _reap(self, options: int) -> None:
        # ECHILD: it is no child of this process, or somebody else here has reaped it.
        with suppress(ChildProcessError):
            if self._pid and os.waitpid(self._pid, options)[0]:
                self._pid = 0

    def _send(self, message: Message, fds: Sequence[int] = ()) -> None:
        with self._lock:
            if self._sock:
                try:
                    sockets.send(self._sock, dict(message), fds)
                except (BrokenPipeError, ConnectionResetError):  # it was killed: another takes its place
                    self.close()
                else:
                    return
            self._connect(start=True)
            assert self._sock
            sockets.send(self._sock, dict(message), fds)

    def _connect(self, *, start: bool) -> bool:
        made = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        made.settimeout(_TIMEOUT_S)
        try:
            sockets.connect(made, self._path)
        except (ConnectionRefusedError, FileNotFoundError):
            if not start:
                made.close()
                return False
            self._start()
            sockets.connect(made, self._path)
        self._sock = made
        if not self._pid:
            self.settle()
        if self._heard:
            self._heard(self._pid)
        return True

    def _start(self) -> None:
        """Start the resolver on a socket that listens before it runs: nobody has to wait for it."""
        Path(self._path).unlink(missing_ok=True)
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as listening:
            sockets.bind(listening, self._path)
            os.chmod(self._path, 0o600)
            listening.listen(8)
            self._pid = process.spawn(_program(listening.fileno()), pass_fds=[listening.fileno()])


def _program(listening: int) -> list[str]:
    """Return the arguments that run the resolver isolated from the environment and without site packages."""
    paths = [str(Path(wharf.__file__).parent.parent), sysconfig.get_path("stdlib")]
    dynamic = str(Path(sysconfig.get_path("stdlib")) / "lib-dynload")
    entry = f"import sys, os; sys.path[:0] = {[*paths, dynamic]!r}; os.dup2({listening}, {_SOCKET_FD})"
    rest = "from wharf.resolver.serve import main; main()"
    close = f"os.close({listening})" if listening != _SOCKET_FD else "pass"
    return [os.path.realpath(sys.executable), "-I", "-S", "-B", "-c", f"{entry}; {close}; {rest}"]
