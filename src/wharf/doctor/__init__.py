"""``wharf doctor``: what this machine has and lacks for containers, what follows from it, and what to do.

A program of its own (``python -m wharf.doctor``), for it must work where no engine can be started. ``machine`` looks
and changes nothing; ``checks`` decides (pure); ``report`` shows.
"""
