FROM beside/cmd-exec
ENTRYPOINT ["echo", "alone"]
