"""What both commands that ask a language model have in common: the client, what is spent, and figures of it."""
