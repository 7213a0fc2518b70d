"""A client of registries (distribution-spec 1.1 and what Docker's registries do besides): asyncio, on aiohttp.

::

    reference ─▶ hosts (mirrors, then the registry itself) ─▶ transport ─▶ repository: manifests, blobs, tags ...
                                                              │ tokens: Basic, Bearer
                                                              └ retries: back-off, Retry-After

Knows nothing of the store: bytes come in and go out as streams. What a registry says is not trusted: whoever stores
bytes verifies their digest.
"""
