"""What services get from beside their files: from providers, from a model runner, of the engine's own socket.

``protocol`` is a provider's language (pure), ``variables`` gives services what was told (pure), ``plugins`` finds the
programs. They are run by ``wharf.compose.execute.providers`` and ``wharf.compose.execute.models``.
"""
