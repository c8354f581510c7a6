"""What a node is, with the reasons: base class, integrations, variant, monitoring, what is without effect."""
