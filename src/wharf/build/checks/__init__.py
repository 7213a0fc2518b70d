"""Build checks: what a Dockerfile should not say, though it builds. Pure.

In go statements and what the conversion found of them; out come findings, each with its rule and its lines
(Dockerfile build checks, ``docker build --check``). ``check.py`` is the way in.
"""
