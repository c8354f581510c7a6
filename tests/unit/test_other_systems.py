"""The commands need nothing that only Unix has; Windows is played by a Python without it."""

import pkgutil
import subprocess
import sys
from pathlib import Path

import extensions

ROOT = Path(__file__).resolve().parents[2]
WITHOUT = """\
import asyncio, os, signal, sys
import click, copier, plumbum.fs.atomic, rich.progress  # these have answers of their own for each system
for module in ("fcntl", "grp", "pty", "pwd", "resource", "termios"):
    sys.modules[module] = None
for name in ("SIGHUP", "SIGKILL", "SIGXCPU", "pthread_sigmask"):
    delattr(signal, name)
for name in ("fork", "getuid", "killpg", "pidfd_open", "setsid"):
    delattr(os, name)
"""


def test_every_module_is_imported_on_windows() -> None:
    modules = [module.name for module in pkgutil.walk_packages(extensions.__path__, "extensions.")]
    code = f"{WITHOUT}sys.platform = 'win32'\nimport importlib\nfor name in {modules}: importlib.import_module(name)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)

    assert len(modules) > 100
    assert (done.returncode, done.stderr) == (0, "")
