"""The use cases: what ``docker run``, ``stop``, ``exec`` … mean, in terms of the services below.

Requests flow in as Engine API documents (:mod:`wharf.spec.engine_api`), from the HTTP front or from the program that
embeds :class:`~wharf.engine.engine.Engine`; OCI configurations flow out to :mod:`wharf.processes`, and answers back.
Decisions are pure (:mod:`~wharf.engine.ocispec`, ``containers/validate``, ``containers/restart_policy``).
"""
