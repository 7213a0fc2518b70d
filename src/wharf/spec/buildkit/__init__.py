"""BuildKit's messages (BuildKit, api/services/control, frontend/gateway, session, solver/pb; fsutil, types).

Written by scripts/make-protos: do not edit.
"""
