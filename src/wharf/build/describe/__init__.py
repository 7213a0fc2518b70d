"""What a Dockerfile offers, without building it: its targets, and the arguments, secrets and keys of one. Pure.

``docker build --call=targets`` and ``--call=outline`` show it (Dockerfile frontend's subrequests of these names).
"""
