"""Networks: addresses, bridges, published ports; records in storage, the kernel through netlink and nftables.

``networks.Networks`` is the way in: a container's id and the ports it wants come in, an ``endpoint.Endpoint`` goes
out, whose ``sandbox`` is the network namespace that the container is to enter. Deciding is pure (``ipam``,
``bridge.plan``, ``rules``, ``files``, ``inspect``), doing is in the drivers (``driver`` is their interface),
``sandbox`` and ``bridge.ensure``, and ``records`` keeps what was decided.
"""
