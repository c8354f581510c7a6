# The runtime of copier-onex, the same in every node. Change it in the template, not here.
"""The process that serves a node over HTTP."""
