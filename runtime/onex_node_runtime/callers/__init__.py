# The runtime of copier-onex, the same in every node. Change it in the template, not here.
"""Who calls the service, and what each may do."""
