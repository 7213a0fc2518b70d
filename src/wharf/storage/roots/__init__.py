"""How a container's root is put together of an image's layers: a storage driver each (``snapshotter.Roots``).

Layers are stored in one form whatever the driver: a folder each, with overlay's marks. In go such folders, the
uppermost first, and a container's folder; out comes a mount, and in the end what the container has changed.
"""
