"""From a stub to a body: found, asked for, checked apart from everything, and put in."""
