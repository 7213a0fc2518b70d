"""BuildKit's API on an engine: what ``docker buildx`` and ``buildctl`` speak (BuildKit, api/services/control).

::

    /grpc    ─▶ control: Solve, Status, history ─┐
             ─▶ gateway: a client's own steps   ─┼▶ job ─▶ build.solver ─▶ exports
    /session ─▶ build.session: folders, secrets ─┘    └─▶ journal: what Status tells

A job is one Solve. Its client usually speaks twice: Solve waits for what the client's own frontend returns, while
that frontend asks the gateway, on the same connection, to do a Dockerfile's build.
"""
