FROM busybox
CMD ["echo", "a b", "$HOME"]
