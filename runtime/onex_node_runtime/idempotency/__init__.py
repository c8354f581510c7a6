# The runtime of copier-onex, the same in every node. Change it in the template, not here.
"""Requests that callers may repeat, as they name them by a key."""
