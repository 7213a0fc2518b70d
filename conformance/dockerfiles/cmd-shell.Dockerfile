FROM busybox
CMD echo "a b" '$HOME' $((1+1))
