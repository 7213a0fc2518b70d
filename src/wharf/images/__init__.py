"""Images: archives in and out, references, inspection; everything below in storage.

Bytes come in through :mod:`~wharf.images.intake` (load, import, bootstrap), which gives nothing a name before all of
it is whole. What is there is in :mod:`~wharf.images.catalog`; :mod:`~wharf.images.images` is what the engine calls.
"""
