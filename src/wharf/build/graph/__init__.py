"""A build as a graph of operations, named by their content. Pure.

BuildKit's LLB maps onto it one to one: a Vertex is an Op, an Edge one of its outputs (BuildKit, solver/pb/ops.proto).
"""
