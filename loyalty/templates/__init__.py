"""The words of messages: the kinds of messages there are, and the templates that say them, ours or a program's."""
