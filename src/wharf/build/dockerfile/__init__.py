"""The Dockerfile language: text in, stages of typed instructions out. Pure (Dockerfile reference).

``parser`` finds statements, ``typed`` gives each its type, ``stages`` puts them together; ``words`` is the shell-like
expansion of variables, which ``wharf.build.convert`` applies once it knows their values.
"""
