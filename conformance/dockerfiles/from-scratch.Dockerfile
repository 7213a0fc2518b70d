FROM scratch
COPY folder /
ENV A=1
WORKDIR /w
LABEL only=copied
