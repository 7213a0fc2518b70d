FROM busybox
WORKDIR /one
COPY a .
WORKDIR two
COPY a ./
COPY a c ./three/
COPY a ../up
CMD find /one | sort; pwd
