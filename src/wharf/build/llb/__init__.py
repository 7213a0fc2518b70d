"""BuildKit's own form of a graph (LLB: solver/pb/ops.proto) as ours. Pure; nothing of what a client sends is trusted.

``decode.py`` is the way in; each kind of operation has a module.
"""
