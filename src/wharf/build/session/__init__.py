"""What a client lends to a build over its session: folders, secrets, agents, credentials, and a place for results.

The client serves, we ask (BuildKit, session). ``tree.py`` is the hands of ``filesync.py``: nothing that a client
sends is trusted.
"""
