"""What isolation leaves to a process: each road out of it, tried from within."""

import platform
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from extensions.filling import jail

ATTACKS = """\
import asyncio, ctypes, fcntl, os, resource, signal, socket, subprocess, tempfile, threading
import pytest

LIBRARY = ctypes.CDLL(None, use_errno=True)

def call(number, *arguments):
    if LIBRARY.syscall(number, *arguments) == -1:
        raise OSError(ctypes.get_errno(), "refused")

def owner():
    ours, _ = socket.socketpair()
    fcntl.fcntl(ours, fcntl.F_SETOWN, os.getppid())

def flags():
    with open("own.txt", "rb") as stream:
        fcntl.ioctl(stream, 0x40086602, b"\\0" * 8)

def started():
    if os.system("true") != 0:
        raise PermissionError

ROADS = {
    "system": started,
    "subprocess": lambda: subprocess.run(["/bin/true"]),
    "fork": lambda: os.fork(),
    "vfork": lambda: call(58),
    "clone": lambda: call(56, 17, 0, 0, 0, 0),
    "clone3": lambda: call(435, ctypes.create_string_buffer(88), 88),
    "spawn": lambda: os.posix_spawn("/bin/true", ["true"], {}),
    "exec": lambda: os.execv("/bin/true", ["true"]),
    "asyncio": lambda: asyncio.run(asyncio.create_subprocess_exec("/bin/true")),
    "TCP": lambda: socket.create_connection(("127.0.0.1", 22)),
    "UDP": lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM),
    "Unix": lambda: socket.socket(socket.AF_UNIX),
    "netlink": lambda: socket.socket(socket.AF_NETLINK),
    "raw socket": lambda: call(41, 2, 1, 0),
    "io_uring": lambda: call(425, 8, ctypes.create_string_buffer(200)),
    "home": lambda: os.listdir(os.path.expanduser("~root")),
    "root": lambda: os.listdir("/"),
    "other": lambda: open(OTHER),
    "passwd": lambda: open("/etc/passwd"),
    "environment of the parent": lambda: open(f"/proc/{os.getppid()}/environ"),
    "own environment": lambda: open("/proc/self/environ"),
    "terminal": lambda: open("/dev/tty"),
    "create": lambda: open("made.txt", "w"),
    "append": lambda: open("own.txt", "a"),
    "truncate": lambda: os.truncate("own.txt", 0),
    "open to truncate": lambda: os.open("own.txt", os.O_RDONLY | os.O_TRUNC),
    "unlink": lambda: os.unlink("own.txt"),
    "rename": lambda: os.rename("own.txt", "other.txt"),
    "link": lambda: os.link("own.txt", "other.txt"),
    "symlink": lambda: os.symlink("/etc/passwd", "other.txt"),
    "mkdir": lambda: os.mkdir("folder"),
    "pipe": lambda: os.mkfifo("fifo"),
    "mode": lambda: os.chmod("own.txt", 0o777),
    "owner": lambda: os.chown("own.txt", 0, 0),
    "times": lambda: os.utime("own.txt"),
    "attributes": lambda: os.setxattr("own.txt", "user.x", b"1"),
    "flags": flags,
    "signal": lambda: os.kill(os.getppid(), 0),
    "signals": lambda: os.kill(-1, 0),
    "signal of a thread": lambda: call(234, os.getppid(), os.getppid(), 0),
    "signal by owner": owner,
    "pidfd": lambda: os.pidfd_open(os.getppid()),
    "trace": lambda: call(101, 16, os.getppid(), 0, 0),
    "memory of others": lambda: call(310, os.getppid(), 0, 0, 0, 0, 0),
    "limits of others": lambda: resource.prlimit(os.getppid(), resource.RLIMIT_NOFILE, (1, 1)),
    "more memory": lambda: resource.setrlimit(resource.RLIMIT_AS, (-1, -1)) or bytearray(2**33),
    "priority": lambda: os.setpriority(os.PRIO_PROCESS, os.getppid(), 5),
    "affinity": lambda: os.sched_setaffinity(os.getppid(), {0}),
    "namespace": lambda: os.unshare(os.CLONE_NEWUSER),
    "root folder": lambda: os.chroot("."),
    "mount": lambda: call(165, b"none", b".", b"tmpfs", 0, 0),
    "shared memory": lambda: call(29, 0, 4096, 0o1600),
    "file in memory": lambda: os.memfd_create("x"),
}

@pytest.mark.parametrize("name", ROADS)
def test_closed(name):
    with pytest.raises((OSError, ValueError, MemoryError)):
        ROADS[name]()

def test_memory():
    with pytest.raises(MemoryError):
        bytearray(2**33)

def test_threads():
    seen = []
    thread = threading.Thread(target=seen.append, args=(1,))
    thread.start()
    thread.join()
    assert seen == [1]

def test_coroutines():
    assert asyncio.run(asyncio.to_thread(lambda: 1)) == 1

def test_scratch(tmp_path):
    (tmp_path / "a").write_text("a")
    with pytest.raises(OSError):
        (tmp_path / "b").write_bytes(b"b" * 2**25)
    tempfile.TemporaryFile().close()

def test_environment():
    assert set(os.environ) <= {"HOME", "TMPDIR", "LC_ALL", "LC_CTYPE", "PYTEST_VERSION", "PYTEST_CURRENT_TEST",
                               "PYTEST_DISABLE_PLUGIN_AUTOLOAD"}
"""


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    scratch = folder.parent / "scratch"
    scratch.mkdir(exist_ok=True)
    command = [sys.executable, "-I", "-B", jail.__file__, str(folder), str(scratch), "20", "1024"]
    options = ["-q", "-p", "no:cacheprovider", "--rootdir", str(folder), f"--basetemp={scratch / 'pytest'}"]
    environment = {"HOME": str(scratch), "TMPDIR": str(scratch), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    return subprocess.run(
        [*command, *options, *arguments],
        input="token\n",
        capture_output=True,
        text=True,
        env=environment,
        cwd=folder,
        check=False,
    )


def test_every_road_out_is_closed(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "own.txt").write_text("own", encoding="utf-8")
    (tmp_path / "other.txt").write_text("other", encoding="utf-8")
    attacks = ATTACKS.replace("OTHER", repr(str(tmp_path / "other.txt")))
    (folder / "test_roads.py").write_text(attacks, encoding="utf-8")
    done = run(folder, "test_roads.py")

    assert done.returncode == 0, done.stdout
    assert done.stdout.splitlines()[-1].startswith("token 0 5")
    assert sorted(path.name for path in folder.iterdir()) == ["own.txt", "test_roads.py"]
    assert (folder / "own.txt").read_text(encoding="utf-8") == "own"


@pytest.mark.parametrize("end", ["import os; os._exit(0)", "raise SystemExit(0)", "raise KeyboardInterrupt"])
def test_tests_that_end_the_process_have_not_passed(end: str, tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "test_end.py").write_text(f"def test_end():\n    {end}\n", encoding="utf-8")

    assert "token 0" not in run(folder, "test_end.py").stdout


@pytest.mark.parametrize(("system", "machine"), [("darwin", "arm64"), ("linux", "aarch64")])
def test_other_machines_are_told(system: str, machine: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", system)
    monkeypatch.setattr(platform, "machine", lambda: machine)
    with pytest.raises(OSError, match=machine):
        jail.confine(tmp_path, Path(tempfile.gettempdir()), 1, 1)
