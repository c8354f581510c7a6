"""What is not pure is caught."""

import os
import socket
import time
import uuid
from pathlib import Path

import pytest
from doubles.purity import ImpureError, watched


def test_files_are_out_of_reach() -> None:
    with watched(), pytest.raises(ImpureError):
        Path(__file__).read_bytes()


def test_sockets_are_out_of_reach() -> None:
    with watched(), pytest.raises(ImpureError):
        socket.socket()


def test_the_clock_is_out_of_reach() -> None:
    with watched(), pytest.raises(ImpureError):
        time.time()


def test_chance_is_out_of_reach() -> None:
    with watched(), pytest.raises(ImpureError):
        os.urandom(1)
    with watched(), pytest.raises(ImpureError):
        uuid.uuid4()
