"""The commands of ``wharf-runtime``, a function each: in go options and arguments, out comes the exit code.

They turn words into calls of :mod:`wharf.runtime.operations` and its neighbours, and print what these return. Each
module is loaded by its own commands alone.
"""
