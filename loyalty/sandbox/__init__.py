"""The clock of a program to try things in: moved forward, it lets points mature and lapse in seconds."""
