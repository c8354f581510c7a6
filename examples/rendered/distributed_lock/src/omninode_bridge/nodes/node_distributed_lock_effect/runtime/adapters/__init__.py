# The runtime of copier-onex, the same in every node. Change it in the template, not here.
"""What adapters of every node have in common."""
