"""From a container's record to its OCI config.json: pure, so that it can be printed and tested without running.

``build.py`` is the way in; each other file makes one part of the document.
"""
