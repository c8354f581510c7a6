"""The files of a project: where they are, whose they are, how they are kept and laid out."""
