"""From the flags of ``run`` and ``create`` to the document that the Engine API takes.

The document is exactly the one that docker's client builds (tests hold it). ``flags`` is the table; ``document``
assembles; the rest each read one kind of flag. Pure but for the files that flags name (``files``).
"""
