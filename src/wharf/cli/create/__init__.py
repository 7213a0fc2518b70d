"""From the flags of ``run`` and ``create`` to the document that the Engine API takes, exactly as docker's client builds it.

``flags`` is the table; ``document`` assembles; the rest each read one kind of flag. Pure but for the files that a flag names
(``files``).
"""
