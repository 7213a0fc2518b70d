"""From a service to the documents that the Engine API creates things of. Pure.

``document`` puts a container's body together from ``limits`` (resources, restart), ``mounts`` (volumes, secrets,
configs) and ``networking`` (networks, ports); ``files`` makes the archives of secrets and configs that are no files
of the host.
"""
