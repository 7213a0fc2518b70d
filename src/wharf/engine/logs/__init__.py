"""Log drivers: their options and formats (pure), and the delivery to other machines.

In flows the file that the shim writes for every driver but ``none``; out flow syslog, GELF, Fluentd and journald
messages. The file stands between: a receiver that is slow or gone never holds a container up, ``docker logs`` works
with every driver, and what was written while no engine ran is delivered when one does
(docs/decisions/log-delivery.md).
"""
