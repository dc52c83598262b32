# SPDX-License-Identifier: GPL-3.0-or-later
"""within -- system calls that another process is made to make, as code in it would: by ptrace(2), on x86-64.

    got = within(pid, ("openat", -100, "/etc/shadow", 0), ("socket", 2, 1, 0))

Each result is what the kernel returned, below 0 the number of the error.  A
call for which the process is killed has none, and is the last.  A debugger
would do, but one that is older than the processor cannot write its registers.
"""
import ctypes
import os
import signal
import time

# The 64-bit table of Linux for this processor.
NUMBERS = {"socket": 41, "shutdown": 48, "setsockopt": 54, "clone": 56, "execve": 59, "kill": 62, "unlink": 87,
           "chmod": 90, "ptrace": 101, "setuid": 105, "openat": 257, "unlinkat": 263, "renameat": 264, "linkat": 265,
           "utimensat": 280, "renameat2": 316}
GET, SET, ATTACH, DETACH, TO_CALL, OPTIONS = 12, 13, 16, 17, 24, 0x4200
# PTRACE_O_TRACESYSGOOD: a stop at a call is none of a signal.
SAY_CALLS, AT_CALL = 1, signal.SIGTRAP | 0x80
WALL = 0x40000000
# What a call that waits has as its result meanwhile: that it is to be begun anew (EINTR, ERESTARTSYS and its like).
ANEW = (-4, -512, -513, -514, -516)
LIBC = ctypes.CDLL(None, use_errno=True)
LIBC.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
LIBC.ptrace.restype = ctypes.c_long


class Registers(ctypes.Structure):
    """struct user_regs_struct of sys/user.h."""
    _fields_ = [(name, ctypes.c_ulonglong) for name in
                ("r15", "r14", "r13", "r12", "rbp", "rbx", "r11", "r10", "r9", "r8", "rax", "rcx", "rdx", "rsi", "rdi",
                 "orig_rax", "rip", "cs", "eflags", "rsp", "ss", "fs_base", "gs_base", "ds", "es", "fs", "gs")]


def possible():
    return os.uname().machine == "x86_64"


def ask(request, pid, data=None):
    if LIBC.ptrace(request, pid, None, data) < 0:
        raise OSError(ctypes.get_errno(), "ptrace")


def is_denied(pid):
    """Whether the call was not made, and the signal that says so waits."""
    with open(f"/proc/{pid}/status", encoding="ascii") as f:
        pending = next(line for line in f if line.startswith("SigPnd:"))
    return int(pending.split()[1], 16) >> (signal.SIGSYS - 1) & 1 == 1


def stopped(pid, memory):
    """The registers of PID, which is attached to as soon as it waits in a call of its own."""
    end = time.monotonic() + 60
    while time.monotonic() < end:
        now = Registers()
        ask(ATTACH, pid)
        os.waitpid(pid, WALL)
        ask(GET, pid, ctypes.byref(now))
        # One that is over has its result, perhaps of octets that cannot be read once more.
        waits = ctypes.c_longlong(now.orig_rax).value >= 0 and ctypes.c_longlong(now.rax).value in ANEW
        if waits and os.pread(memory, 2, now.rip - 2) == b"\x0f\x05":
            ask(OPTIONS, pid, SAY_CALLS)
            return now
        ask(DETACH, pid)
        time.sleep(0.01)
    raise AssertionError(f"{pid} waits in no system call")


def make(pid, was, memory, call):
    """Makes one CALL in PID, which has stopped with the registers WAS; None if that is its end."""
    now, at = Registers.from_buffer_copy(was), was.rsp - 2048
    values = []
    for value in call[1:]:
        if isinstance(value, str):
            os.pwrite(memory, value.encode() + b"\0", at)
            value, at = at, at + len(value) + 1
        values.append(value & (1 << 64) - 1)
    for register, value in zip(("rdi", "rsi", "rdx", "r10", "r8", "r9"), values):
        setattr(now, register, value)
    # Back onto the instruction, and no call is to be begun anew behind it.
    now.rip, now.rax, now.orig_rax = was.rip - 2, NUMBERS[call[0]], (1 << 64) - 1
    ask(SET, pid, ctypes.byref(now))
    # To its entry, and behind it.
    for _ in range(2):
        ask(TO_CALL, pid)
        _, status = os.waitpid(pid, WALL)
        if not os.WIFSTOPPED(status) or os.WSTOPSIG(status) != AT_CALL:
            return None
    if is_denied(pid):
        return None
    ask(GET, pid, ctypes.byref(now))
    return ctypes.c_longlong(now.rax).value


def within(pid, *calls):
    got, memory = [], os.open(f"/proc/{pid}/mem", os.O_RDWR)
    try:
        was = stopped(pid, memory)
        for call in calls:
            result = make(pid, was, memory, call)
            if result is None:
                ask(DETACH, pid)
                return got
            got.append(result)
        # What it waited in is begun anew.
        was.rip, was.rax = was.rip - 2, was.orig_rax
        ask(SET, pid, ctypes.byref(was))
        ask(DETACH, pid)
        return got
    finally:
        os.close(memory)
