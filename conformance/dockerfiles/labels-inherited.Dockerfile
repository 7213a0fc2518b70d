FROM beside/labels
LABEL a=3 new=4
