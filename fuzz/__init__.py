"""Fuzzing: ``make fuzz`` gives ``wharf-runtime`` a config.json that nobody would write, again and again (as root).

In comes the specification's own JSON schema (``schema/``), out goes a report: whatever the document, and whenever the
command is killed, there is one line of error at most, no traceback, and nothing is left.
"""
