"""The resolver program: names of containers for all sandboxes of one engine, at 127.0.0.11 in each.

Sockets that the engine has bound in the sandboxes come in by SCM_RIGHTS (:mod:`wharf.spec.resolver_messages`), with
the names; answers go out, and what is no container's name goes on to the name servers. It is a process of its own so
that names go on working while no engine runs, and it has no privileges: what containers send is read here.
"""
