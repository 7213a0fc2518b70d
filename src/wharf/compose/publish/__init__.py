"""Compose files as an artifact of a registry, as docker compose publishes them.

``rewriting`` makes a file's text stand alone (pure), ``bundle`` gathers the files that belong together, ``findings``
says what somebody should agree to first (pure), ``artifact`` describes it all (pure), ``push`` sends it.
"""
