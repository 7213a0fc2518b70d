# a comment

FROM busybox
RUN echo one \
    # a comment within
    && echo two \

    && echo three > /seen ; \
    echo "kept \
spaces   " >> /seen
  RUN   echo   indented   >>   /seen
CMD cat /seen
