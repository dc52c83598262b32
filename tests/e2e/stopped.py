# SPDX-License-Identifier: GPL-3.0-or-later
"""C-19: a runner that stands still, and programs that are started without standard descriptors.

While a runner is stopped, mail is accepted, the other one delivers its own, and
who asks is told; when it goes on, it delivers what waited, once.  What it was taking
from drop/ it does not take once more when the other one has delivered it.  A program
without descriptors 0, 1 and 2 takes no file of its own for one of them.  A master that
waits for who stands still is alive for its watchdog.
"""
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading

sys.path.insert(0, os.environ["BARID_SRC"] + "/tests/tools")
from baridtest import Barid, Sink, halt, program, route, upstream, wait_for  # noqa: E402

EXTRA = "queue { runners = 2 }\n"
COUNT = 16
CLOSED = 'exec "$@" <&- >&- 2>&-'


def runners(b):
    return sorted(p for p in b.processes() if b.read(f"/proc/{p}/comm").strip() == "barid-runner")


def stands_still(b):
    return [p for p in runners(b) if b.read(f"/proc/{p}/stat").rpartition(")")[2].split()[0] == "T"]


def a_runner(b):
    one = wait_for("two runners", lambda: len(runners(b)) == 2 and runners(b)[0])
    wait_for("both to be ready", lambda: b.log().count(" is ready: ") >= 2)
    os.kill(one, signal.SIGSTOP)
    wait_for("it to stand still", lambda: stands_still(b) == [one])
    for n in range(COUNT):
        b.send("a@b.test", ["alice@example.test"], f"Subject: {n}\r\n\r\nx\r\n")
    # What belongs to the other one arrives; ids are spread evenly, so that it has some.
    wait_for("the other runner's mail", lambda: b.mailbox("alice"))
    number = 0 if "\0-i\0000\0" in b.read(f"/proc/{one}/cmdline") else 1
    wait_for("no more of it", lambda: all(runner_of(name) == number for _, name in b.spooled()))
    assert len(b.mailbox("alice")) + len(b.spooled()) == COUNT
    assert 0 < len(b.spooled()) < COUNT, (b.spooled(), b.mailbox("alice"))
    assert b.ctl("queue", "list").stdout.count("alice@example.test") == len(b.spooled())
    assert "barid" in b.ctl("status").stdout
    assert stands_still(b) == [one]
    os.kill(one, signal.SIGCONT)
    got = sorted(int(m.split(b"Subject: ")[1].split(b"\r\n" if b"\r\n" in m else b"\n")[0])
                 for m in b.mail("alice", COUNT))
    assert got == list(range(COUNT)), got
    b.empty()


def runner_of(queue_id):
    """As include/queue/part.h has it, of two."""
    h = 2166136261
    for c in queue_id.encode():
        h = (h ^ c) * 16777619 & 0xffffffff
    return h % 2


def taken(b, sink):
    """CONFORMANCE C-01: as if the first runner had died between the commit of an import and the removal from drop/."""
    first, = (p for p in runners(b) if "\0-i\0000\0" in b.read(f"/proc/{p}/cmdline"))
    halt(first)
    while not b.spooled() or runner_of(b.spooled()[0][1]) == 0:
        for _, name in b.spooled():
            os.unlink(f"{b.dir}/spool/drop/{name}")
        b.sendmail("-f", "carol@example.test", "x@far.example", text="Subject: once\n\nx\n")
    (place, name), = b.spooled()
    assert place == "drop"
    file, aside = f"{b.dir}/spool/drop/{name}", f"{b.dir}/aside"
    shutil.copy2(file, aside)
    halt(sink.process.pid)
    os.kill(first, signal.SIGCONT)
    wait_for("the import", lambda: b.spooled() == [("new", name)])
    halt(first)
    shutil.copy2(aside, file)
    os.kill(sink.process.pid, signal.SIGCONT)
    wait_for("the delivery", lambda: any(f"{name}: to=" in line and "status=sent" in line for line in b.log().split("\n")))
    # What is delivered behind it is removed behind it.
    removed = b.log().count(": removed")
    for n in range(COUNT):
        b.send("a@b.test", ["x@far.example"], f"Subject: {n}\r\n\r\nx\r\n")
    wait_for("a removal", lambda: b.log().count(": removed") > removed)
    assert ("new", name) in b.spooled(), "it goes when it can be imported no more"
    os.kill(first, signal.SIGCONT)
    b.empty()
    got = [m for m in sink.messages(1 + COUNT) if b"Subject: once" in m["text"]]
    assert len(got) == 1, f"delivered {len(got)} times"


def no_descriptors(b):
    """The master, and by it its helpers."""
    assert b.stop() == 0
    fds = [s.fileno() for s in b.sockets.values()]
    b.process = subprocess.Popen(["sh", "-c", CLOSED, "sh", program("barid"), "-f", "-c", b.conf], pass_fds=fds)
    wait_for("barid to be ready", b.ready)
    b.send("a@b.test", ["bob@example.test"], "Subject: x\r\n\r\nx\r\n")
    assert len(b.mail("bob", 1)) == 1
    for pid in [b.process.pid] + runners(b):
        for fd in (1, 2):
            assert os.readlink(f"/proc/{pid}/fd/{fd}") == "/dev/null", (pid, fd, os.readlink(f"/proc/{pid}/fd/{fd}"))
    with b.smtp() as c:
        c.ehlo()
        pid, = wait_for("the end of the others", lambda: len(found := b.sessions()) == 1 and found)
        for fd in (0, 1, 2):
            assert os.readlink(f"/proc/{pid}/fd/{fd}") == "/dev/null", (pid, fd)


def shell(script, *args, data=""):
    return subprocess.run(["sh", "-c", script, "sh", *args], input=data.encode(), capture_output=True, timeout=60)


def tools(b):
    sendmail = [program("sendmail"), "-C", b.conf, "-f", "carol@example.test"]
    text = "Subject: whole\n\n" + "line\n" * 20000
    # Complaints and the like have nowhere to go, and above all not into the message.
    assert shell('exec "$@" >&- 2>&-', *sendmail, "-v", "-i", "bob@example.test", data=text).returncode == 0
    got = b.mail("bob", 2)[-1].replace(b"\r\n", b"\n")
    assert got.endswith(text.split("\n\n", 1)[1].encode()) and got.count(b"line\n") == 20000
    r = shell('exec "$@" >&- 2>&-', *sendmail, "-no-such-option", data=text)
    assert r.returncode == 64, r
    # No message at all is an empty one, and nothing of ours is read in its place.
    assert shell('exec "$@" <&-', *sendmail, "bob@example.test").returncode == 0
    assert b.mail("bob", 3)[-1].replace(b"\r\n", b"\n").endswith(b"undisclosed-recipients:;\n\n")
    with open(b.conf, "rb") as f:
        before = f.read()
    shell(CLOSED, program("baridctl"), "-c", b.conf, "config", "check")
    with open(b.conf, "rb") as f:
        assert f.read() == before


def watched():
    """The service manager hears of a master whose reload waits for an acceptor that stands still."""
    with tempfile.TemporaryDirectory() as d, socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as s:
        s.bind(d + "/notify")
        said = []

        def read():
            while line := s.recv(4096).decode():
                said.append(line)

        def reloading():
            return "\n".join(said).partition("RELOADING=1")[2].partition("READY=1")[0]

        # All the time: the kernel keeps few of them, and drops the rest.
        reader = threading.Thread(target=read, daemon=True)
        reader.start()
        with Barid(env={"NOTIFY_SOCKET": d + "/notify", "WATCHDOG_USEC": "800000"}) as b:
            old = next(p for p in b.processes() if b.read(f"/proc/{p}/cmdline").startswith("barid-acceptor"))
            halt(old)
            b.process.send_signal(signal.SIGHUP)
            wait_for("the watchdog to hear of it", lambda: reloading().count("WATCHDOG=1") >= 2)
            os.kill(old, signal.SIGCONT)
        s.shutdown(socket.SHUT_RD)
        reader.join()


def main():
    watched()
    with Sink() as sink, Barid(extra=EXTRA + upstream("far", sink.port) + route("far.example", "far"),
                               relay=("127.0.0.0/8",)) as b:
        a_runner(b)
        taken(b, sink)
        no_descriptors(b)
        tools(b)


main()
