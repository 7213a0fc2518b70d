FROM busybox
VOLUME ["/one", "/two words"]
VOLUME /three /four
CMD ls -d /one "/two words" /three /four
