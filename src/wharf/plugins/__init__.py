"""Plugins, whatever they serve: where they listen (``finding``), and how they are asked (``calls``)."""
