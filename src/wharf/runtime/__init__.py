"""The OCI runtime: in go a config.json, open descriptors and a control group; out comes a created process.

::

    spec ──plan──▶ values that print themselves ──clone3──▶ init does them in order ──▶ ready ──start()──▶ execve
           (parent: pure, refuses what it cannot do)  (child: short loops that decide little)

``container.create`` makes a container's first process, ``execution.execute`` one more in it; both return a
``started.Started``. One topic a file: namespaces, mounts, devices, rootfs, account, privileges, console, program.
Single-threaded callers only: the shim, and the ``wharf-runtime`` command (``cli``, ``state``).
"""
