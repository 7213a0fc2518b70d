# What is there already keeps or changes its mode and owner, and is gone through links.
FROM busybox
RUN mkdir -p /there/deep && chmod 700 /there && chown 3:4 /there && ln -s there /link && echo old > /there/f
ADD packed.tar /there/
ADD packed.tar /link/
CMD find / -xdev -path '/there*' -o -xdev -path '/link*' | sort
