"""Messages to members: what they are told, on which channel, in which words, when, and why not."""
