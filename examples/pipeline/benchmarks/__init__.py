"""What the pipeline's nodes take."""
