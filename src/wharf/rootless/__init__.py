"""The world in which a plain user's engine is root: a user namespace with its own mounts, network and control groups.

``python -m wharf.rootless COMMAND`` makes it, or finds it, and runs a command in it. What is in there (``wharfd``, a
program with a ``wharf.Engine``) is an ordinary engine: it believes to be root, and nothing below it is written twice.
``ids`` decides which ids are mapped, ``delegation`` which control groups are the user's, ``uplink`` who carries
packets; ``holder`` makes the namespaces and a process that keeps them; ``entering`` goes in. See
docs/decisions/rootless.md.
"""
