"""The typed project: what the files mean, every attribute in one form.

Fields are in the order in which docker compose prints them. ``base`` says how values are read and printed;
``project`` has the whole, ``service`` a service, ``build``, ``deploy``, ``mounts``, ``resources`` and ``hooks`` its
parts. A field that may be None says something by being there.
"""
