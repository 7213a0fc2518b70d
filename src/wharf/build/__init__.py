"""From a Dockerfile and a context to an image, in four stages that know nothing of the later ones.

::

    text ─dockerfile─▶ stages ─convert─▶ graph of operations ─solver─▶ layers ─exporters─▶ image, archive, folder
                      (pure)            (pure)        │
                                                      └─ operations: source, exec, file, merge, diff

``checks`` and ``describe`` look at a Dockerfile without building it; ``llb`` reads graphs that clients made;
``session`` brings what a client lends over its connection: folders, secrets, SSH agents, and takes results to it.

What a build needs of the machine (images, processes, networks) is handed in by the engine.
"""
