"""Control groups, v1, v2 and hybrid, behind one interface.

``group.open_cgroup("/wharf/<key>/<id>")`` gives a ``Cgroup``: a path that may or may not exist yet, in every mounted
hierarchy at once. OCI resources go in (``apply``), measurements come out (``stats``). ``hierarchy`` finds what is
mounted where; ``v1`` and ``v2`` turn OCI resources into (file, value) pairs and decide nothing about the machine;
``group`` is the hands; ``measure`` reads.
"""
