"""The commands of the distribution that belong to no other room."""
