"""Control groups of version 2 for real: a small virtual machine with nothing else, and the tests that want it.

``python -m conformance.v2 [PYTEST ARGUMENT...]`` (``make vm``) takes Debian's cloud kernel, packs this interpreter,
this tree and busybox into an initramfs (``initramfs``), boots both without any acceleration (``machine``), and runs
pytest in it (``inside``, which is the machine's init). No network, no disk; nothing of the host's is changed.
"""
