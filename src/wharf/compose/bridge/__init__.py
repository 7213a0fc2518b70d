"""Projects converted into other models (Kubernetes manifests, Helm charts, ...) by images made for that.

A transformation is an image with the label ``com.docker.compose.bridge=transformation``. Its container finds the
project in ``/in/compose.yaml``, maybe templates in ``/templates``, and writes its results to ``/out``.
"""
