"""Everything below the data root: where things lie, blobs by digest, layers as mounts, and one database.

Bytes flow in through :mod:`~wharf.storage.content` (verified) and :mod:`~wharf.storage.diff` (unpacked into
:mod:`~wharf.storage.snapshots`); names and records live in :mod:`~wharf.storage.metadata`.
"""
