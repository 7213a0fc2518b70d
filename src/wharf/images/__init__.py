"""Images: archives in and out, references, inspection; everything below in storage."""
