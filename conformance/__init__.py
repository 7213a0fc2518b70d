"""Suites that others wrote, run against Wharf: ``python -m conformance`` writes ``build/conformance.json``.

A suite is a :class:`conformance.suites.Suite`; ``registry`` lists them.
"""
