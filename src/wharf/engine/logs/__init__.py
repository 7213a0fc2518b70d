"""Log drivers: their options and formats (pure), and the delivery to other machines.

In flows the file that the shim writes for every driver but ``none``; out flow syslog, GELF, Fluentd and journald
messages. The file stands between: ``docker logs`` works with every driver, what was written while no engine ran is
delivered when one does, and a container waits for its receiver only when the file is full of what that has not taken
(docs/decisions/log-delivery.md).
"""
