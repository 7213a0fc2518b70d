FROM busybox
RUN mkdir /real && ln -s /real /link
WORKDIR /link/sub
RUN touch here
CMD pwd; find /real | sort
