FROM busybox
ENTRYPOINT ["echo", "entry"]
CMD ["point", "$HOME"]
