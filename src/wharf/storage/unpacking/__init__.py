"""Layers unpacked by processes of their own: making many small files is Python that holds the one lock.

::

    engine: stored bytes ─▶ file ─▶ worker: decompress ─ digest ─ unpack ─▶ folder
                  ◀═ socket ═ how far the file must have got; diff id, size, or what is wrong

A worker is this interpreter with little loaded; it takes one layer after another, and ends with whoever started it.
"""
