FROM busybox
CMD ["kept"]
ENTRYPOINT ["echo"]
