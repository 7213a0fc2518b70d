"""The side of the engine that talks to the zygote and to shims.

In flow spawn requests, out come ``Shim`` handles (``processes.Processes``): ``zygote`` starts and stops the program
that forks shims, ``channel`` exchanges datagrams with one shim, ``shim`` is the handle, ``folder`` is a shim's folder
with its lock: who holds it is alive.
"""
