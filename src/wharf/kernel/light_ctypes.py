"""What the runtime needs of ctypes, made of what ctypes is made of: to load that takes a tenth of the time.

``import ctypes`` brings ``struct`` and ``types``, classes for the other byte order, and some thirty types that nobody
here uses: 2 ms of a command that has 20. Where an interpreter does not have the module under it as we know it, ctypes
itself is used: the same, a little later. 64-bit Linux alone: there a long has 64 bits.
"""

from __future__ import annotations

TYPE_CHECKING = False

__all__ = [
    "CDLL",
    "POINTER",
    "Array",
    "PyDLL",
    "Structure",
    "addressof",
    "c_char",
    "c_char_p",
    "c_int",
    "c_int32",
    "c_long",
    "c_size_t",
    "c_uint",
    "c_uint32",
    "c_uint64",
    "c_ulong",
    "c_ushort",
    "c_void_p",
    "create_string_buffer",
    "get_errno",
    "sizeof",
]

if TYPE_CHECKING:
    from ctypes import (
        CDLL,
        POINTER,
        Array,
        PyDLL,
        Structure,
        addressof,
        c_char,
        c_char_p,
        c_int,
        c_int32,
        c_long,
        c_size_t,
        c_uint,
        c_uint32,
        c_uint64,
        c_ulong,
        c_ushort,
        c_void_p,
        create_string_buffer,
        get_errno,
        sizeof,
    )
else:
    try:
        from _ctypes import (
            FUNCFLAG_CDECL,
            FUNCFLAG_PYTHONAPI,
            FUNCFLAG_USE_ERRNO,
            POINTER,
            Array,
            CFuncPtr,
            Structure,
            _SimpleCData,
            addressof,
            dlopen,
            get_errno,
            sizeof,
        )
    except ImportError:
        import ctypes as whole

        globals().update((name, getattr(whole, name)) for name in __all__)
    else:

        def _simple(name, code):
            return type(name, (_SimpleCData,), {"_type_": code, "__module__": __name__})

        c_char, c_char_p, c_void_p = _simple("c_char", "c"), _simple("c_char_p", "z"), _simple("c_void_p", "P")
        c_int = c_int32 = _simple("c_int", "i")
        c_uint = c_uint32 = _simple("c_uint", "I")
        c_ushort = _simple("c_ushort", "H")
        c_long = _simple("c_long", "l")
        c_ulong = c_size_t = c_uint64 = _simple("c_ulong", "L")

        class CDLL:
            """The functions of a library, or (None) of the program and all its libraries: ``CDLL(None)["open"]``."""

            _flags = FUNCFLAG_CDECL

            def __init__(self, name, *, use_errno=False):
                flags = self._flags | (FUNCFLAG_USE_ERRNO if use_errno else 0)
                self._handle = dlopen(name, 0)  # what CFuncPtr asks a library for
                self._function = type("Function", (CFuncPtr,), {"_flags_": flags, "_restype_": c_int})

            def __getitem__(self, name):
                return self._function((name, self))

        class PyDLL(CDLL):
            """The same, called with the interpreter's lock held."""

            _flags = FUNCFLAG_CDECL | FUNCFLAG_PYTHONAPI

        def create_string_buffer(init, size=None):
            """Return a buffer of ``init`` bytes, or one that holds ``init`` and a NUL."""
            if isinstance(init, int):
                return (c_char * init)()
            buffer = (c_char * (len(init) + 1 if size is None else size))()
            buffer.value = init
            return buffer
