"""Nodes that write the bodies of methods, judge them, and put them in."""
