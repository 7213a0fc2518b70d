"""Plans carried out through ``wharf.client``: no decisions, only calls.

``engine`` gives each thread a connection of its own, ``observe`` reads what there is, ``executor`` runs a plan's
operations as soon as what they need is done, ``steps`` is one function an operation, ``waiting`` waits for a
container's state, ``hooks`` runs hooks.
"""
