"""Load for minutes on end, beside a daemon that is killed again and again: nothing lost, nothing left."""
