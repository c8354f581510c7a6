"""Runs pytest where it can harm nobody. A program of its own, of the standard library: `python -I jail.py FOLDER …`.

It gives up its rights before anything of the project is imported: Landlock leaves it the files of its Python and of the
folder to read, and one scratch folder to write; a filter of system calls leaves it no sockets, no other processes, no
programs, no changes of modes and owners; limits leave it so much memory, time and space. What it gave up, nothing that
it runs gets back. Measured on Linux 6.18 on x86-64; elsewhere it refuses, and so do kernels before 6.2.
"""

import contextlib
import ctypes
import errno
import os
import platform
import struct
import sys
from pathlib import Path

if sys.platform != "win32":
    import pwd
    import resource

UNABLE = 78
"""The status of a machine that can't isolate; a line on standard output says why."""

_MEGABYTE = 1024 * 1024
_FIRST_ABI = 3
_READ = 0b1100
_RULESET, _ADD_RULE, _RESTRICT = 444, 445, 446
_NO_NEW_PRIVILEGES, _SECCOMP = 38, 317
_ARCHITECTURE = 0xC000003E
_LOAD, _EQUAL, _AT_LEAST, _ANY, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_ALLOW, _KILL, _FAIL = 0x7FFF0000, 0x80000000, 0x00050000
_NUMBER, _MACHINE, _ARGUMENTS = 0, 4, 16
_OTHER_TABLE = 0x40000000
_THREAD = 0x00010000
_CLONE, _CLONE3, _TGKILL, _PRLIMIT, _AFFINITY, _IOCTL, _FCNTL = 56, 435, 234, 302, 203, 16, 72
# What asks, and changes no flags of files: terminals, bytes that wait, blocking, closing.
_IOCTLS = (0x5401, 0x5413, 0x541B, 0x5421, 0x5450, 0x5451)
# Doubles, flags and locks; others let the kernel send signals to any process.
_FCNTLS = (0, 1, 2, 3, 4, 5, 6, 7, 1030)
_DENIED = (
    41,  # socket; a pair of them, which reaches nobody, stays
    *(57, 58, 59, 322),  # fork, vfork, execve, execveat
    *(62, 129, 200, 297, 424, 434, 438),  # signals to others, by any road
    *(101, 310, 311, 312, 440),  # memory of others
    *(155, 161, 165, 166, 272, 308, 428, 429, 430, 431, 432, 433, 442),  # mounts, roots and namespaces
    *(425, 426, 427),  # io_uring, whose calls no filter sees
    *(298, 321, 323),  # perf, bpf, userfaultfd
    *(248, 249, 250),  # keys
    *(29, 30, 31, 64, 65, 66, 68, 69, 70, 71, 220, 240, 241, 242, 243, 319),  # shared memory, queues, files in memory
    *(90, 91, 92, 93, 94, 260, 268, 452),  # modes and owners, which Landlock leaves alone
    *(188, 189, 190, 197, 198, 199, 463, 466),  # extended attributes
    *(132, 235, 261, 280),  # times of files
    *(141, 142, 144, 251, 256, 279, 314, 448),  # priorities and memory of others
    *(135, 300, 301, 303, 304, 443, 447, 469),  # personality, watching and handles of files, their attributes
    *(
        103,
        153,
        159,
        163,
        164,
        167,
        168,
        169,
        170,
        171,
        172,
        173,
        175,
        176,
        179,
        227,
        246,
        305,
        313,
        320,
    ),  # the machine
)


def main() -> int:
    """Give up what is not needed, and run pytest.

    Returns:
        pytest's status, or UNABLE. What standard input begins with is said again at the end, with the number of tests
        that passed: a test that ends the process says nothing.
    """
    folder, scratch, seconds, megabytes, *arguments = sys.argv[1:]
    token = sys.stdin.readline().strip()
    try:
        confine(Path(folder), Path(scratch), int(seconds), int(megabytes))
    except OSError as error:
        sys.stdout.write(f"{error.strerror or error}\n")
        return UNABLE
    os.chdir(folder)
    sys.path[:0] = [f"{folder}/src", folder]
    import pytest  # noqa: PLC0415 - nothing of the environment is imported before

    passed = []

    class Count:
        def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
            if report.when == "call" and report.outcome == "passed" and not hasattr(report, "wasxfail"):
                passed.append(report.nodeid)

    status = int(pytest.main(arguments, plugins=[Count()]))
    sys.stdout.write(f"\n{token} {status} {len(passed)}\n")
    sys.stdout.flush()
    return status


def confine(folder: Path, scratch: Path, seconds: int, megabytes: int) -> None:
    """Give up all rights but those to work in a folder, for ever.

    Args:
        folder: What may be read, beside Python.
        scratch: What may be written.
        seconds: Time of the processor.
        megabytes: Memory.

    Raises:
        OSError: This machine can't do that.
    """
    if sys.platform != "linux" or platform.machine() != "x86_64":
        raise OSError(errno.ENOSYS, f"it is {sys.platform} on {platform.machine()}, not Linux on x86-64")
    os.closerange(3, 1024)
    for limit, value in (
        (resource.RLIMIT_CPU, seconds),
        (resource.RLIMIT_AS, megabytes * _MEGABYTE),
        (resource.RLIMIT_FSIZE, 16 * _MEGABYTE),
        (resource.RLIMIT_NOFILE, 256),
        (resource.RLIMIT_CORE, 0),
    ):
        hard = resource.getrlimit(limit)[1]
        value = value if hard == resource.RLIM_INFINITY else min(value, hard)  # noqa: PLW2901
        resource.setrlimit(limit, (value, value))
    library = ctypes.CDLL(None, use_errno=True)
    if library.prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0):
        raise OSError(ctypes.get_errno(), "privileges can't be given up")
    _restrict_files(library, folder, scratch)
    _restrict_calls(library)


def _restrict_files(library: ctypes.CDLL, folder: Path, scratch: Path) -> None:
    version = library.syscall(_RULESET, None, 0, 1)
    if version < _FIRST_ABI:
        raise OSError(errno.ENOSYS, f"its kernel has no Landlock of version {_FIRST_ABI} or later")
    # Each version before 6 knows one right more than the one before; 4 has one for the network instead.
    rights = (1 << (16 if version > 4 else 15)) - 1  # noqa: PLR2004
    handled = ctypes.create_string_buffer(struct.pack("=Q", rights))
    rules = library.syscall(_RULESET, handled, 8, 0)
    if rules < 0:
        raise OSError(ctypes.get_errno(), "Landlock is switched off")
    readable = {folder, *map(Path, (sys.prefix, sys.base_prefix, *sys.path)), *map(Path, _SYSTEM)}
    # A folder that others lie in, such as a home, is none of Python's.
    try:
        home = Path(pwd.getpwuid(os.getuid()).pw_dir)
    except KeyError:
        home = scratch
    for path in readable:
        if path.is_absolute() and path.exists() and path != Path("/") and not home.is_relative_to(path):
            _allow(library, rules, path, _READ)
    _allow(library, rules, scratch, rights & ~1)
    _allow(library, rules, Path(os.devnull), 0b110)
    if library.syscall(_RESTRICT, rules, 0):
        raise OSError(ctypes.get_errno(), "Landlock can't be entered")
    os.close(rules)


_SYSTEM = (
    *("/lib", "/lib64", "/usr/lib", "/usr/lib64", "/usr/share/zoneinfo", "/etc/localtime", "/etc/ld.so.cache"),
    *("/dev/urandom", "/dev/zero"),
)


def _allow(library: ctypes.CDLL, rules: int, path: Path, rights: int) -> None:
    if not path.is_dir():
        rights &= 0b100000000000110
    descriptor = os.open(path, os.O_PATH | os.O_CLOEXEC)
    rule = ctypes.create_string_buffer(struct.pack("=Qi", rights, descriptor))
    failed = library.syscall(_ADD_RULE, rules, 1, rule, 0)
    number = ctypes.get_errno()
    os.close(descriptor)
    if failed:
        raise OSError(number, f"Landlock takes no rule for {path}")


def _restrict_calls(library: ctypes.CDLL) -> None:
    refused = (_RETURN, 0, 0, _FAIL | errno.EPERM)
    filters = [
        (_LOAD, 0, 0, _MACHINE),
        (_EQUAL, 1, 0, _ARCHITECTURE),
        (_RETURN, 0, 0, _KILL),
        (_LOAD, 0, 0, _NUMBER),
        (_AT_LEAST, 0, 1, _OTHER_TABLE),
        (_RETURN, 0, 0, _KILL),
        # Its arguments can't be seen; without it, the C library takes the older call.
        (_EQUAL, 0, 1, _CLONE3),
        (_RETURN, 0, 0, _FAIL | errno.ENOSYS),
    ]
    for number in _DENIED:
        filters += [(_EQUAL, 0, 1, number), refused]
    for number, argument, test, values in (
        (_CLONE, 0, _ANY, (_THREAD,)),
        (_TGKILL, 0, _EQUAL, (os.getpid(),)),
        (_PRLIMIT, 0, _EQUAL, (0,)),
        (_AFFINITY, 0, _EQUAL, (0,)),
        (_IOCTL, 1, _EQUAL, _IOCTLS),
        (_FCNTL, 1, _EQUAL, _FCNTLS),
    ):
        # Calls that are allowed for some values of one argument, of which the lower half decides.
        steps = [(_LOAD, 0, 0, _ARGUMENTS + 8 * argument)]
        steps += [(test, len(values) - place, 0, value) for place, value in enumerate(values)]
        steps += [refused, (_RETURN, 0, 0, _ALLOW)]
        filters += [(_EQUAL, 0, len(steps), number), *steps]
    filters.append((_RETURN, 0, 0, _ALLOW))
    code = ctypes.create_string_buffer(b"".join(struct.pack("=HBBI", *each) for each in filters))
    program = ctypes.create_string_buffer(struct.pack("@HP", len(filters), ctypes.addressof(code)))
    if library.syscall(_SECCOMP, 1, 0, program):
        raise OSError(ctypes.get_errno(), "system calls can't be filtered")


if __name__ == "__main__":
    with contextlib.suppress(BrokenPipeError):
        sys.exit(main())
