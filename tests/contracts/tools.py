"""The surroundings in which tools are started in generated projects."""

import os
from pathlib import Path

from examples.rendering import ROOT

TOOLS = ROOT / ".venv" / "bin"
# A project has the plugins that it declares; those that are here for other tests take seconds to load.
PLUGINS = {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTEST_PLUGINS": "pytest_asyncio.plugin,pytest_cov.plugin"}


def surroundings(cache: Path) -> dict[str, str]:
    """Return the environment for the tools of a project.

    Args:
        cache: Where mypy keeps what it knows of libraries, unless the environment says so.
    """
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "COV"))}
    return {
        "MYPY_CACHE_DIR": str(cache),
        **kept,
        **PLUGINS,
        "PATH": f"{TOOLS}{os.pathsep}{os.environ['PATH']}",
    }
