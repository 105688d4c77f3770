"""Facts pushed to the shop's own servers: signed, in order, again and again until they arrive."""
