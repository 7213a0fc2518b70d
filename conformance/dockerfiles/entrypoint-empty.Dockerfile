FROM beside/entrypoint-exec
ENTRYPOINT []
CMD ["echo", "only"]
