"""What the nodes of `examples/pipeline` take, beside what they may take: measured in the package that they make."""

import sys

from scripts.pipeline import run_targets

if __name__ == "__main__":
    sys.exit(run_targets(None, ["bench"]))
