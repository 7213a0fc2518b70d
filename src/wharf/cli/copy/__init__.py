"""docker cp on this side: what goes where (``rules``), and the local files (``packing``, ``unpacking``)."""
