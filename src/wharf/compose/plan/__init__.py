"""What is to be done for a project to be as it is wished: pure, printable, each operation with its cause.

::

    Project (desired) ─┐
                       ├─ converge / down / ... ─▶ Plan: operations in an order that their needs define
    Observed (now) ────┘

``converge`` puts the plan of `up` and `create` together from ``resources`` (networks, volumes), ``replicas``
(containers) and ``starts``; ``work`` is what these share. ``down`` takes apart.
"""
