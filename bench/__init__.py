"""What Wharf costs, beside the floor (the same work done bare, in C) and beside its peers.

``python -m bench`` starts the sides on sockets and roots of their own, lets them take turns at each measurement, so
that the machine's moods strike all of them alike, and writes the medians to
``build/bench.json`` (see :mod:`bench.rows`).
"""
