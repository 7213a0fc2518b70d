"""The programs beside a container: the zygote that forks, the shim that owns one container.

In flow spawn requests (``spec.shim_messages``) over the zygote's socket; ``zygote`` forks a ``shim``, which has the
runtime create the container and then runs ``loop``: ``streams`` moves output from the container to the ``logfile``
and to ``clients``, and their input back; ``control`` answers engines; ``execs`` runs more processes. Out come events,
the log, and at the end ``exit.json`` (``ending``). What they need of the runtime is in ``runtime``.
"""
