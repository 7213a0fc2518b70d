FROM busybox
CMD ["echo", "first"]
CMD ["echo", "last"]
