# The runtime of copier-onex, the same in every node. Change it in the template, not here.
"""Figures about events: how they are put together, and where they are kept."""
