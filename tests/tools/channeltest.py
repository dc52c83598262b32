# SPDX-License-Identifier: GPL-3.0-or-later
"""What tests of the ways between processes share: packets, and the channels of a process that was taken over."""
import ctypes
import os
import re
import socket

LIBC = ctypes.CDLL(None, use_errno=True)
PIDFD_OPEN, PIDFD_GETFD = 434, 438


def message_types():
    with open(os.environ["BARID_SRC"] + "/include/ipc/msg.h", encoding="utf-8") as f:
        body = re.search(r"enum msg_type \{(.*?)\};", re.sub(r"/\*.*?\*/", "", f.read(), flags=re.S), re.S)[1]
    return {n: i + 1 for i, n in enumerate(re.findall(r"MSG_\w+", body))}


# The number of each kind of packet.
TYPES = message_types()


def frame(kind, *fields):
    """A packet between processes: FIELDS are (tag, octets or a number)."""
    body = b"".join(tag.to_bytes(2, "big") + len(v).to_bytes(4, "big") + v for tag, v in
                    ((t, v.to_bytes(8, "big") if isinstance(v, int) else v) for t, v in fields))
    return kind.to_bytes(2, "big") + b"\0\0" + len(body).to_bytes(4, "big") + body


def steal(pid):
    """The descriptors of PID that are channels, by their number, as ours."""
    pidfd = LIBC.syscall(PIDFD_OPEN, pid, 0)
    assert pidfd >= 0, os.strerror(ctypes.get_errno())
    found = {}
    for n in sorted(map(int, os.listdir(f"/proc/{pid}/fd"))):
        if not os.readlink(f"/proc/{pid}/fd/{n}").startswith("socket:"):
            continue
        fd = LIBC.syscall(PIDFD_GETFD, pidfd, n, 0)
        assert fd >= 0, os.strerror(ctypes.get_errno())
        s = socket.socket(fileno=fd)
        if s.family == socket.AF_UNIX and s.type & 0xf == socket.SOCK_SEQPACKET:
            found[n] = s
        else:
            s.close()
    os.close(pidfd)
    return found
