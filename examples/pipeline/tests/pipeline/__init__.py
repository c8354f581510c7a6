"""What the pipeline's nodes do, each alone and all together."""
