# The runtime of copier-onex, the same in every node. Change it in the template, not here.
"""Settings by what reads them; the settings of a node are made of those that it needs."""
