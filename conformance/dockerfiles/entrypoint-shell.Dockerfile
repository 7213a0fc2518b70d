FROM busybox
ENTRYPOINT echo shell $0
CMD ["not", "seen"]
