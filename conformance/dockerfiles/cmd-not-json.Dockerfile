# What is no JSON is a command for the shell.
FROM busybox
CMD [ 'echo' = 'echo' ] && echo single quotes
