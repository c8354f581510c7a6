# The runtime of copier-onex, the same in every node. Change it in the template, not here.
"""Results of operations that only read, kept for a while."""
