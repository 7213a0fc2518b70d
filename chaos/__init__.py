"""Chaos: ``make chaos`` kills what works on the store at random instants, and checks what is left (as root).

In come verbs (pull, push, load, remove and prune) of a process of its own, and a number of points; out goes the first
thing that was not whole after a kill. ``tests/root/images/test_crash.py`` does a few points of the same.
"""
