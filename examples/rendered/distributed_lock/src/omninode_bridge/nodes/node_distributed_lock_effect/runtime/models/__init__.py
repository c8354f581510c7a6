# The runtime of copier-onex, the same in every node. Change it in the template, not here.
"""Types of fields that models of every node may have."""
