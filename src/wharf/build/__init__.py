"""From a Dockerfile and a context to an image, in four stages that know nothing of the later ones.

::

    text ─dockerfile─▶ stages ─convert─▶ graph of operations ─solver─▶ layers ─exporters─▶ image, archive, folder
                      (pure)            (pure)        │
                                                      └─ operations: source, exec, file, merge, diff

What a build needs of the machine (images, processes, networks) is handed in by the engine.
"""
