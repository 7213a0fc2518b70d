"""From Compose files to one typed project; pure but for the reader it is given (``files.Files``).

::

    text ─yaml─▶ tree with positions ─interpolate─▶ ─schema─▶ ─canonical─▶ ─extends, include, merge─▶ one tree
         ─complete (defaults, names, paths)─▶ ─check─▶ ─convert─▶ Project

Every error names the file and the line that it is about.
"""
