FROM busybox
RUN ["sh", "-c", "echo $0 $1 > /seen", "zero", "a b"]
RUN ["/bin/mkdir", "/made"]
CMD ["cat", "/seen"]
