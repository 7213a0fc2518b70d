# with: --build-arg who=child
FROM beside/onbuild
RUN pwd >> /triggered && echo $added >> /triggered
