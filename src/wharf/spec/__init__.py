"""Documents that cross a boundary, spelt as their specification spells them: TypedDicts and constants, no behaviour.

Engine API, OCI runtime, OCI image; and :mod:`~wharf.spec.shim_messages`, which is ours.
"""
