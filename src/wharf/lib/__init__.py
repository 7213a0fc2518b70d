"""Small pure things: no I/O, no clock, nothing of Wharf above them."""
