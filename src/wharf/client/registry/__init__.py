"""A small, blocking client of registries (distribution-spec 1.1), for artifacts that are not the engine's business.

``transport`` makes requests, ``tokens`` says who asks, ``repository`` has the nouns. Images go through the engine,
which has a client of its own; here a command line reads and writes what Compose files are published as.
"""
