# The runtime of copier-onex, the same in every node. Change it in the template, not here.
"""States of entities: a machine that says where events lead, and where states are kept."""
