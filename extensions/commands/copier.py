"""The command `copier-onex`: Copier, once the data files and answers that it is to read are known to be readable.

Copier reads them before it loads a template, so that a template can neither bound nor explain what it reads.
`make setup` puts this command in the place of `copier` in the environment of this repository.
"""

import sys
from importlib.metadata import entry_points

from ..reading.given import unreadable

_EXIT_BAD = 1


def main() -> int:
    """Check the files, then hand the process over to Copier.

    Returns:
        1 when one can't be read; else what Copier's own command returns, if it returns.
    """
    if message := unreadable(sys.argv[1:]):
        encoding = sys.stderr.encoding or "utf-8"
        sys.stderr.write(f"{message.encode(encoding, 'backslashreplace').decode(encoding)}\n")
        return _EXIT_BAD
    (command,) = entry_points(group="console_scripts", name="copier")
    return int(command.load()() or 0)


if __name__ == "__main__":
    sys.exit(main())
