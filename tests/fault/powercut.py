#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""C-03: cuts the power of file systems under load and counts what is left.

usage: powercut.py [POWERCUT_LOAD [CUTS]]      (default: the one under BARID_OBJ)

As root.  Spool and mailboxes lie on loop-mounted ext4 and XFS, on one file
system and on two.  While powercut_load writes, the ioctl that both file
systems have for tests drops everything that was not flushed (a second time
with POP3 alone, which nothing else then helps to be durable, and a third with
the journal); then the file
systems are unmounted and mounted, so that their journals replay, and
powercut_load counts: every message that was acknowledged must be there,
whole.  CUTS (3) for each file system and layout.

Exit status: 0, nothing was lost; 1, something was; 77, this machine does not
allow loop mounts (a word on standard output says so).
"""

import fcntl
import os
import random
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import time

GOINGDOWN = 0x8004587D  # _IOR('X', 125, __u32) of ext4 and XFS
NO_LOG_FLUSH = struct.pack("I", 2)

KINDS = {
    "ext4": {
        "size": 96 << 20,
        "mkfs": ["mkfs.ext4", "-q", "-F"],
        "options": "loop,commit=300",
    },
    "xfs": {
        "size": 320 << 20,
        "mkfs": ["mkfs.xfs", "-q", "-f"],
        "options": "loop,nouuid",
    },
}


class Skip(Exception):
    """What is missing on this machine."""


def call(*argv):
    result = subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if result.returncode != 0:
        raise OSError("%s: %s" % (" ".join(argv), result.stdout.strip()))


class FileSystem:
    """A file system in a file, mounted."""

    def __init__(self, work, name, kind):
        self.kind = KINDS[kind]
        self.image = os.path.join(work, name + ".img")
        self.dir = os.path.join(work, name)
        self.mounted = False
        with open(self.image, "wb") as image:
            image.truncate(self.kind["size"])
        os.mkdir(self.dir)
        try:
            call(*self.kind["mkfs"], self.image)
            self.mount()
        except (OSError, FileNotFoundError) as error:
            raise Skip(str(error))

    def mount(self):
        call("mount", "-o", self.kind["options"], self.image, self.dir)
        self.mounted = True

    def umount(self):
        if not self.mounted:
            return
        self.eventually(lambda: call("umount", self.dir))
        self.mounted = False
        # As long as it is mounted anywhere, mounting it again would only show
        # the same dead file system.
        self.eventually(self.is_detached)

    def is_detached(self):
        if subprocess.check_output(["losetup", "-j", self.image]):
            raise OSError("%s: still attached" % self.image)

    @staticmethod
    def eventually(attempt):
        for _ in range(50):
            try:
                return attempt()
            except OSError:
                time.sleep(0.1)
        return attempt()

    def cut(self):
        fd = os.open(self.dir, os.O_RDONLY)
        try:
            fcntl.ioctl(fd, GOINGDOWN, NO_LOG_FLUSH)
        finally:
            os.close(fd)


def lines_in(path):
    try:
        with open(path, "rb") as f:
            return f.read().count(b"\n")
    except FileNotFoundError:
        return 0


def states(group):
    """The states (R, D, T ...) of the processes of a group."""
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open("/proc/%s/stat" % pid) as f:
                fields = f.read().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[2]) == group:
            yield fields[0]


def cut_running(child, file_systems, acks):
    """Cuts in the middle of system calls.

    Where the power goes, nobody is told anything any more.  The ioctl is
    kinder: a sync that runs at that instant may return 0 for a journal that
    has just been thrown away.  So what counts is what was said before; and
    the spool goes first, lest it forget for good what the mailbox's file
    system has only pretended to keep.
    """
    said = os.path.getsize(acks) if os.path.exists(acks) else 0
    for fs in file_systems:
        fs.cut()
    child.wait(timeout=30)
    return said


def cut_stopped(child, file_systems, acks):
    """Cuts between system calls, all file systems at the same moment."""
    os.killpg(child.pid, signal.SIGSTOP)
    limit = time.monotonic() + 10
    while set(states(child.pid)) - set("TZX") and time.monotonic() < limit:
        time.sleep(0.001)
    said = os.path.getsize(acks) if os.path.exists(acks) else 0
    for fs in random.sample(file_systems, len(file_systems)):
        fs.cut()
    os.killpg(child.pid, signal.SIGKILL)
    child.wait(timeout=30)
    while set(states(child.pid)) - set("ZX"):
        time.sleep(0.01)
    return said


def one_cut(load, file_systems, work, number, what):
    """Load, cut, replay, count; true if nothing is missing."""
    spool = os.path.join(file_systems[0].dir, "spool%d" % number)
    boxes = os.path.join(file_systems[-1].dir, "boxes%d" % number)
    acks = os.path.join(work, "acks%d" % number)
    os.mkdir(boxes, 0o700)
    child = subprocess.Popen(
        [load, what, spool, boxes, acks], stderr=subprocess.DEVNULL, start_new_session=True
    )
    enough = random.randint(100, 500)
    limit = time.monotonic() + 10
    while lines_in(acks) < enough and child.poll() is None and (time.monotonic() < limit or not lines_in(acks)):
        time.sleep(0.002)
    cut = cut_stopped if number % 2 or what == "pop3" else cut_running
    said = cut(child, file_systems, acks)
    if said == 0:
        print("    the load did no work")
        return False
    os.truncate(acks, said)
    for fs in reversed(file_systems):
        fs.umount()
    for fs in file_systems:
        fs.mount()
    result = subprocess.run([load, "check", spool, boxes, acks], stdout=subprocess.PIPE, text=True)
    sys.stdout.write("".join("    %s\n" % line for line in result.stdout.splitlines()[:20]))
    sys.stdout.flush()
    shutil.rmtree(spool)
    shutil.rmtree(boxes)
    return result.returncode == 0


def series(load, kind, two, cuts, what):
    work = tempfile.mkdtemp(prefix="barid-powercut-")
    file_systems = []
    good = True
    try:
        file_systems.append(FileSystem(work, "one", kind))
        if two:
            file_systems.append(FileSystem(work, "two", kind))
        for number in range(cuts):
            print("%s, %s, %s, cut %d" % (kind, "two file systems" if two else "one file system", what, number + 1))
            good = one_cut(load, file_systems, work, number, what) and good
    finally:
        for fs in reversed(file_systems):
            fs.umount()
        shutil.rmtree(work, ignore_errors=True)
    return good


def own_mounts():
    """Runs this program again with mounts of its own: nobody else keeps them busy, and none stays."""
    if os.environ.get("POWERCUT_NAMESPACE") is not None:
        return
    os.environ["POWERCUT_NAMESPACE"] = "1"
    own = ["unshare", "--mount", "--propagation", "private"]
    try:
        subprocess.run(own + ["true"], check=True, capture_output=True, text=True)
    except FileNotFoundError:
        print("SKIP: there is no unshare(1)")
        sys.exit(77)
    except subprocess.CalledProcessError as e:
        print("SKIP: no mounts of our own here: " + e.stderr.strip())
        sys.exit(77)
    sys.exit(subprocess.call(own + [sys.executable] + sys.argv))


def main():
    load = os.path.abspath(sys.argv[1]) if len(sys.argv) > 1 else \
        os.environ["BARID_OBJ"] + "/fault/powercut_load"
    cuts = int(sys.argv[2]) if len(sys.argv) > 2 else 3
    if os.geteuid() != 0:
        print("SKIP: powercut: only root can mount file systems")
        return 77
    own_mounts()
    good = True
    ran = 0
    for kind in KINDS:
        try:
            for two, what in ((False, "run"), (True, "run"), (False, "pop3"), (False, "journal")):
                good = series(load, kind, two, cuts, what) and good
                ran += 1
        except Skip as why:
            print("SKIP: powercut: %s: %s" % (kind, why))
    if ran == 0:
        return 77
    print("powercut: %s" % ("nothing acknowledged was lost" if good else "MAIL WAS LOST"))
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
