"""Results of builds that travel: written where another engine finds them, and taken from there.

::

    solver's results ─▶ config (keys, and chains of layers; pure) ─▶ manifest (pure) ─▶ a registry, a client's folder
                                                                 └▶ an image's own configuration (inline)

The documents are BuildKit's, so that its clients carry them. The keys in them are ours: they name what was done by
the solver's own digests.
"""
