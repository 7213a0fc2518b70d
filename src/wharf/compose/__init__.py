"""Applications of several containers: Compose files go in, containers, networks and volumes of an engine come out.

::

    files ─▶ load (pure) ─▶ Project ─┐
                                     ├─▶ plan (pure) ─▶ operations, each with its cause ─▶ execute ══▶ engine
    engine ─▶ observe ─▶ Observed ───┘

``load`` turns files into one typed model (``model``), ``plan`` compares it with what an engine has and says what is
to be done, ``execute`` does it through ``wharf.client``. Labels are those of docker compose, so that both tools
see each other's projects.
"""
