"""Updates of projects that lose nothing: tried on a clone, compared, and only then applied."""
