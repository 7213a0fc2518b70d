"""Every way Wharf talks to Linux. In go plain values and descriptors, out come plain values, descriptors and OSError.

One module for each subject of section 2 of the manual, one thin function for each call; the only home of ctypes
and of subprocess. Nothing here decides anything: that is the work of the packages above.
"""
