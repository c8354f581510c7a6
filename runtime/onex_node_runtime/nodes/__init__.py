# The runtime of copier-onex, the same in every node. Change it in the template, not here.
"""How nodes run: what they are between their start and their end, and how each archetype takes ONEX's inputs."""
