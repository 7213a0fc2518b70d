FROM beside/onbuild-child
RUN echo again >> /triggered
