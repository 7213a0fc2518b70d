"""From a graph to its results: what is known is not done again, what is independent is done at once.

The cache's keys come from content: an operation, and what it works on. Nothing is asked of the clock.
"""
