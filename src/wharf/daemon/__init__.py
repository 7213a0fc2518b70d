"""wharfd: wires implementations together and serves the API on sockets.

Flags flow in (:mod:`~wharf.daemon.main`); sockets, a pid file and log lines flow out; requests go to
:mod:`wharf.api`, on the engine that :mod:`~wharf.daemon.wiring` builds. It holds no container's life: it may be
killed at any instant, and the next one finds what runs.
"""
