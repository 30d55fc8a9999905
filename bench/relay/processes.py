# Copyright The Fuseboard Authors
# SPDX-License-Identifier: Apache-2.0
"""Programs that a measurement starts, what they have used, and their certain end."""

import ctypes
import os
import pathlib
import signal
import socket
import subprocess
import time

PATIENCE = 10  # seconds a program may take to serve, and to end before it is killed
PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True)


class StartFailed(Exception):
    pass


def free_port():
    """A port of the loopback interface that nobody listens on now. For programs that cannot choose one themselves."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _die_with_parent():
    # Even a measurement that is killed outright leaves nothing behind.
    _libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


class Processes:
    """As a context manager: everything started in it has ended when it is left, whatever the reason."""

    def __init__(self):
        self._running = []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop(*self._running)

    def start(self, argv, log, **options):
        """Starts a program with its output in the file `log`."""
        with open(log, "wb") as output:
            # A group of its own: Ctrl-C reaches this program alone, which then ends the others.
            process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT,
                                       process_group=0, preexec_fn=_die_with_parent, **options)
        process.log = pathlib.Path(log)
        self._running.append(process)
        return process

    def stop(self, *processes):
        for process in processes:
            process.terminate()
        deadline = time.monotonic() + PATIENCE
        for process in processes:
            try:
                process.wait(max(0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            self._running.remove(process)


def _start_failed(process):
    state = "has not begun to serve" if process.poll() is None else f"ended with {process.returncode}"
    said = process.log.read_text(errors="replace")[-2000:].strip()
    return StartFailed(f"{process.args[0]} {state}; it said: {said or 'nothing'}")


def wait_for_port(process, port):
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if process.poll() is not None:
            break
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            time.sleep(0.02)
    raise _start_failed(process)


def wait_for_line(process, pattern):
    """The first match of `pattern` in what the program has printed."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if found := pattern.search(process.log.read_text(errors="replace")):
            return found
        if process.poll() is not None:
            break
        time.sleep(0.02)
    raise _start_failed(process)


def cpu_seconds(pid):
    """CPU time of all threads of a process so far, the system's share included."""
    total = 0
    for task in os.listdir(f"/proc/{pid}/task"):
        try:
            # In nanoseconds, where /proc/PID/stat counts ticks of 10 ms.
            total += int(pathlib.Path(f"/proc/{pid}/task/{task}/schedstat").read_text().split()[0])
        except FileNotFoundError:
            return _cpu_seconds_in_ticks(pid)
    return total / 1e9


def _cpu_seconds_in_ticks(pid):
    # The name in parentheses may hold spaces; what follows it does not.
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def resident_kib(pid):
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1])
    raise StartFailed(f"process {pid} has no resident memory")
