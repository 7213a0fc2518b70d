"""From a Dockerfile and the options of a build to a graph and the configuration of the image. Pure.

``convert.py`` is the way in. What images are called must be known before: the conversion says which it lacks.
"""
