# with: --build-arg given=outside --build-arg HTTP_PROXY=http://nobody --build-arg top=changed
ARG top=above
FROM busybox
ARG top
ARG given=default
ARG unset
ARG both=arg
ENV both=env from=${given}
RUN echo "top=$top given=$given unset=${unset-none} both=$both proxy=$HTTP_PROXY" > /seen
ARG late=1
ARG derived=$late$given
RUN echo $derived >> /seen
CMD cat /seen; echo ${given-gone}
