"""Suites that others wrote, run against Wharf: ``python -m conformance`` writes ``build/conformance.json``.

A suite is a :class:`conformance.suites.Suite`; this package only runs what is listed there, and says so when
nothing is.
"""
