"""A light client of the Engine API: calls go in as methods, one request each; documents and streams come out.

``client.Client`` is one engine at one address (``address``); it speaks HTTP by ``http1``, agrees on an API version,
and turns statuses back into ``wharf.errors`` (``errors``). The nouns are classes over it: ``containers``, ``execs``,
``images``, ``networks``, ``volumes``, ``system``. Everything blocks, and
imports as little as it can, for it is on the way of every command that is typed::

    with Client("unix:///run/wharf/wharf.sock") as client:
        print(Containers(client).list(all_states=True))
"""
