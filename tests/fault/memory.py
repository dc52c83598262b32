# SPDX-License-Identifier: GPL-3.0-or-later
"""C-11: sendmail and the runner with an allocation that fails, and each process of barid with none that works.

A process that has no memory says so and ends, never by a signal.  What was
promised is kept: delivered once there is memory again, into a mailbox once.
The rest goes on meanwhile, or says that it cannot be now.  (Sessions, with
each of their allocations: memory_smtp_test.c, memory_pop3_test.c.)
"""
import mmap
import os
import signal
import smtplib
import struct
import subprocess
import sys
import threading

sys.path.insert(0, os.environ["BARID_SRC"] + "/tests/tools")
from baridtest import Barid, OBJ, program, route, Sink, skip, SRC, upstream, wait_for  # noqa: E402

TEXT = "Subject: %s\r\n\r\nx\r\n"


class Memory:
    """What one program has of it."""

    def __init__(self, b, library, name):
        self.path = f"{b.dir}/memory.{name}"
        with open(self.path, "wb") as f:
            f.write(b"\0" * 8)
        os.chmod(self.path, 0o666)
        with open(self.path, "r+b") as f:
            self.shared = mmap.mmap(f.fileno(), 8)
        self.env = {"LD_PRELOAD": library, "SHORT_MEMORY": self.path}

    def fail(self, n):
        """From the next process on its N-th allocation fails; 0: none; -1: all, of those that run as well."""
        self.shared[:8] = struct.pack("ii", n, 0)

    def failed(self):
        return struct.unpack("ii", self.shared[:8])[1] != 0

    def exec(self, path):
        return "".join(f"{k}='{v}' " for k, v in self.env.items()) + f'exec {path} "$@"\n'


def libexec(b, memories):
    """Helpers, each with a memory of its own."""
    real, folder = os.path.dirname(program("barid-runner")), b.dir + "/libexec"
    os.makedirs(folder)
    for name in os.listdir(real):
        if name not in memories:
            os.symlink(f"{real}/{name}", f"{folder}/{name}")
            continue
        with open(f"{folder}/{name}", "w", encoding="utf-8") as f:
            f.write("#!/bin/sh\n" + memories[name].exec(f"{real}/{name}"))
        os.chmod(f"{folder}/{name}", 0o755)
    return folder


def steps(fewer):
    """All of the first, then fewer and fewer."""
    n = 1
    while True:
        yield n
        n += 1 + n // fewer


def ends(r, memory):
    """Without a signal; as if nothing had been, or for want of memory (or of what a library wanted it for)."""
    assert r.returncode >= 0, r
    assert r.returncode == 0 or memory.failed(), r
    return r.returncode == 0


def injected(b, memory):
    """sendmail: an exit of 0 is a promise."""
    promised = []
    for n in steps(8):
        memory.fail(n)
        r = subprocess.run([program("sendmail"), "-C", b.conf, "-i", "-f", "a@b.test", "bob@example.test"],
                           input=(TEXT % f"s{n}").encode(), capture_output=True, timeout=60,
                           env=dict(os.environ, **memory.env))
        if ends(r, memory):
            promised.append(f"s{n}")
        if not memory.failed():
            break
    assert promised
    wait_for("what sendmail took", lambda: not set(promised) - set(subjects(b, "bob")))
    assert len(subjects(b, "bob")) == len(set(subjects(b, "bob")))


def subjects(b, user):
    found = []
    for path in b.mailbox(user):
        with open(path, "rb") as f:
            got = f.read().replace(b"\r\n", b"\n")
        assert got.endswith(b"\n\nx\n"), got
        found.append(got.split(b"Subject: ")[1].split(b"\n")[0].decode())
    return found


def put(b, name):
    for rcpt in ("alice@example.test", "x@far.test"):
        subprocess.run([OBJ + "/tools/spool", "-n", "1", b.dir + "/spool", "7BIT", "carol@example.test", rcpt],
                       input=(TEXT % name).encode(), stdout=subprocess.DEVNULL, check=True)


def runner(b, memory, sink):
    """`barid -q` with a runner that is short of memory, again and again; then one that is not."""
    names = []
    for n in steps(3):
        names.append(f"r{n}")
        put(b, names[-1])
        memory.fail(n)
        before = len(b.log())
        r = subprocess.run([program("barid"), "-q", "-c", b.conf], capture_output=True, timeout=60, env=b.env)
        fell = [x for x in b.log()[before:].split("\n") if "of signal" in x or "panic" in x]
        assert not fell and r.returncode >= 0, (n, fell, r)
        if not memory.failed():
            break
    memory.fail(0)
    b.start()
    wait_for("all in the mailbox", lambda: not set(names) - set(subjects(b, "alice")))
    b.empty()
    assert len(b.mailbox("alice")) == len(names), "each once"
    # Over there it may be twice: it was said, and could not be noted.
    got = [m["text"].split(b"Subject: ")[1].split(b"\r\n")[0].decode() for m in sink.messages()]
    assert set(got) == set(names)
    assert b.mailbox("carol") == []


def outages(b, auth, run):
    """A helper without any memory ends, and what needs it waits for the next one."""

    def login():
        try:
            b.smtp("submission", login="alice").close()
            return True
        except smtplib.SMTPAuthenticationError as e:
            assert e.smtp_code == 454, e
            return False

    auth.fail(-1)
    first = threading.Thread(target=login)
    first.start()
    wait_for("a want of memory", auth.failed)
    auth.fail(0)
    first.join()
    wait_for("a login", login)
    run.fail(-1)
    before = len(b.mailbox("alice"))
    for n in range(3):
        b.send("a@b.test", ["alice@example.test"], TEXT % f"o{n}")
    wait_for("a want of memory", run.failed)
    run.fail(0)
    b.mail("alice", before + 3, 40)
    assert len(b.mailbox("alice")) == before + 3


def master(b, memory, run):
    """To accept a client it needs none; a reload without any is its end, and the next one has all that was promised."""
    before = len(b.mailbox("alice"))
    memory.fail(-1)
    run.fail(-1)
    b.send("a@b.test", ["alice@example.test"], TEXT % "m")
    assert not memory.failed()
    b.process.send_signal(signal.SIGHUP)
    assert b.process.wait(60) == 75 and memory.failed()
    wait_for("the end of every process", lambda: not b.processes())
    os.unlink(b.dir + "/run/barid.pid")
    memory.fail(0)
    run.fail(0)
    b.start()
    b.mail("alice", before + 1)
    assert len(b.mailbox("alice")) == before + 1


def main():
    with open(program("barid"), "rb") as f:
        if b"__asan_init" in f.read():
            skip("AddressSanitizer has a heap of its own")
    with Sink() as sink, Barid(users=("alice", "bob", "carol"), relay=("127.0.0.0/8",), start=False, extra=
                               "queue { runners = 1 retry = {1s} }\n" + upstream("far", sink.port) +
                               route("far.test", "far")) as b:
        library = b.dir + "/short_memory.so"
        subprocess.run([*os.environ.get("CC", "cc").split(), "-D_GNU_SOURCE", "-shared", "-fPIC", "-o", library,
                        SRC + "/tests/fault/short_memory.c"], check=True)
        own = {name: Memory(b, library, name) for name in ("barid-runner", "barid-auth", "sendmail", "barid")}
        b.env["BARID_LIBEXEC"] = libexec(b, {n: m for n, m in own.items() if n in ("barid-runner", "barid-auth")})
        b.env.update(own["barid"].env)
        b.start()                                         # makes the spool
        injected(b, own["sendmail"])
        b.stop()
        runner(b, own["barid-runner"], sink)
        outages(b, own["barid-auth"], own["barid-runner"])
        master(b, own["barid"], own["barid-runner"])


main()
