"""gRPC on a connection that is there already, in either direction (docs/decisions/grpc.md).

::

    link ─▶ connection ─▶ stream ─▶ call ─┬─▶ server: a table of methods
    bytes   frames, HPACK  windows  messages └─▶ channel: methods of the other side

BuildKit's clients take a connection of the Engine API over and speak HTTP/2 on it: on one they ask, on the other,
the session, they serve. So a link has no address, and who opened it does not say who asks.
"""
