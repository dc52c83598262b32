# SPDX-License-Identifier: GPL-3.0-or-later
"""inject -- faults in the system calls of a running program, by strace(1).

    with Inject([pid], "fsync", "error=EIO", 3) as i:
        ...
    if i.fired(): ...

The n-th call of each thread fails, or kills the process at its entry.
Processes that are forked meanwhile are traced from their first call.
"""
import os
import shutil
import subprocess
import tempfile
import time


def possible():
    """None, or the reason why it is not."""
    if not shutil.which("strace"):
        return "strace is not installed"
    victim = subprocess.Popen(["sleep", "60"])
    try:
        with Inject([victim.pid], "fsync", "error=EIO", 1):
            return None
    except OSError as e:
        return f"ptrace is not permitted here: {e}"
    finally:
        victim.kill()
        victim.wait()


def threads(pid):
    try:
        return [int(t) for t in os.listdir(f"/proc/{pid}/task")]
    except FileNotFoundError:
        return []


def is_traced(task):
    try:
        with open(f"/proc/{task}/status") as f:
            return "TracerPid:\t0\n" not in f.read()
    except (FileNotFoundError, ProcessLookupError):
        return True


class Inject:
    def __init__(self, pids, call, fault, n):
        handle, self.log = tempfile.mkstemp(prefix="barid-strace-")
        os.close(handle)
        self.process = subprocess.Popen(
            ["strace", "-f", "-o", self.log, "-e", f"trace={call}", "-e", "signal=none",
             "-e", f"inject={call}:{fault}:when={n}", *(f"-p{p}" for p in pids)],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        # However slow it is, it attaches or says why not; the bound is for one that hangs.
        end = time.monotonic() + 200
        while not all(is_traced(t) for p in pids for t in threads(p)):
            if self.process.poll() is not None or time.monotonic() > end:
                self.stop()
                raise OSError(self.process.stderr.read().strip() or "strace does not attach")
            time.sleep(0.002)

    def fired(self):
        with open(self.log, errors="replace") as f:
            text = f.read()
        # "= ?" is a call that did not return.
        return "(INJECTED)" in text or "killed by SIGKILL" in text or "= ?\n" in text

    def stop(self):
        """Lets go of the program, whose further calls are as they were."""
        self.process.terminate()
        try:
            self.process.wait(2)
        except subprocess.TimeoutExpired:
            # It waits for a thread of a process that was killed, in vain.
            self.process.kill()
            self.process.wait()

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.stop()
        self.happened = self.fired()
        self.process.stderr.close()
        os.unlink(self.log)
