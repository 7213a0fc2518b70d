"""docker build …: the builder of ``wharf.build`` with the engine's images, processes and networks.

``builds.py`` is the way in; ``classic.py`` says what ``POST /build`` writes; ``runner.py`` starts RUN's commands.
"""
