# The runtime of copier-onex, the same in every node. Change it in the template, not here.
"""What nodes have in common, and no contract decides."""
