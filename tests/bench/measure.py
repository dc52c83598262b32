# SPDX-License-Identifier: GPL-3.0-or-later
"""measure -- a barid to be measured, and how: processor time, memory, system calls.

    with Measured("maildir") as b:
        got = b.load("send", "-n", 1000)    what tests/tools/load says
        b.settle(1000)                      every message is where it should be
        b.cpu()                             seconds since its start, dead children too

Modes: hold (nothing is delivered), relay (all to a `load sink`), maildir, dead
(all for a host that nobody is), pop3 (load("pop3") fetches and deletes).
"""
import atexit
import collections
import contextlib
import glob
import json
import os
import poplib
import re
import resource
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

SRC = os.environ["BARID_SRC"]
sys.path.insert(0, SRC + "/tests/tools")
import baridtest  # noqa: E402
from baridtest import OBJ, ROOT, Barid, wait_for  # noqa: E402

LOAD = OBJ + "/tools/load"
CPUACCT = "/sys/fs/cgroup/cpuacct"
CGROUP2 = "/sys/fs/cgroup"
SYNCS = {"fsync", "fdatasync", "sync", "syncfs", "sync_file_range"}
FLUSHES = SYNCS - {"sync_file_range"}


class Trash:
    """Files are removed when everything is measured: many removals slow down what
    comes next, on a disk that is told of them and in an ext4 without a journal."""

    dir = None

    @classmethod
    def take(cls, path):
        if cls.dir is None:
            cls.dir = tempfile.mkdtemp(prefix="barid-bench-")
            atexit.register(shutil.rmtree, cls.dir, ignore_errors=True)
        if os.path.exists(path):
            os.rename(path, tempfile.mkdtemp(dir=cls.dir) + "/it")


def may_trace():
    """Why system calls cannot be counted here, or "" """
    if not shutil.which("strace"):
        return "there is no strace"
    r = subprocess.run(["strace", "-f", "-o", "/dev/null", "true"], stderr=subprocess.PIPE, text=True)
    return "" if r.returncode == 0 else "strace is not allowed here: " + r.stderr.strip().split("\n")[0]


class Sink:
    """`load sink`: takes mail as fast as it comes, and counts it."""

    def __init__(self):
        self.process = subprocess.Popen([LOAD, "sink", "0"], stdout=subprocess.PIPE, text=True)
        self.port = int(self.process.stdout.readline().split()[1])

    def count(self):
        self.process.send_signal(signal.SIGUSR1)
        return json.loads(self.process.stdout.readline())["messages"]

    def stop(self):
        self.process.terminate()
        self.process.wait()
        self.process.stdout.close()


class Cgroup:
    """Counts the processor time of what is started within, to the nanosecond.  Root."""

    def __init__(self):
        self.old = CPUACCT if os.path.exists(CPUACCT + "/cpuacct.usage") else None
        self.home = self.old or CGROUP2
        self.dir = f"{self.home}/barid-bench-{os.getpid()}"
        os.mkdir(self.dir)
        with open("/proc/self/cgroup", encoding="ascii") as f:
            self.was = next(line.split(":", 2)[2].strip() for line in f
                            if (",cpuacct," in "," + line.split(":")[1] + ",") == bool(self.old))

    @contextlib.contextmanager
    def inside(self):
        self.enter(self.dir)
        try:
            yield
        finally:
            self.enter(self.home + self.was)

    def enter(self, folder):
        with open(folder + "/cgroup.procs", "w", encoding="ascii") as f:
            f.write("0")

    def cpu(self):
        if self.old:
            return int(open(self.dir + "/cpuacct.usage", encoding="ascii").read()) / 1e9
        text = open(self.dir + "/cpu.stat", encoding="ascii").read()
        return int(re.search(r"usage_usec (\d+)", text).group(1)) / 1e6

    def remove(self):
        def gone():
            with contextlib.suppress(OSError):
                os.rmdir(self.dir)
            return not os.path.exists(self.dir)
        wait_for("an empty cgroup", gone)


def cgroup():
    try:
        return Cgroup() if ROOT else None
    except (OSError, StopIteration):
        return None


class Measured(Barid):
    """TRACED: its system calls are written down, all from its start."""

    def __init__(self, mode, traced=False, boxes=50):
        self.mode, self.boxes, self.traced = mode, boxes, traced
        self.sink = Sink() if mode == "relay" else None
        self.cgroup = None if traced else cgroup()
        self.trace_path = None
        self.taken = 0
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))
            self.nobody = s.getsockname()[1]
        listen = {"smtp": ("smtp", "starttls")}
        if mode == "pop3":
            listen["pop3"] = ("pop3", "off")
        try:
            super().__init__(listen=listen, users=("u1",))
        except BaseException:
            self.drop()
            raise

    def write_conf(self, extra=None):
        d = self.dir
        self.trace_path = d + "/trace"
        text = f"""hostname = "mx.example.test"
domains = {{{'"bench.test"' if self.mode == "maildir" else ""}}}
user = "{baridtest.USER}"
spool = "{d}/spool"
mailboxes = "{d}/mail"
run = "{d}/run"
tls {{ certificate = "{d}/localhost.pem"  key = "{d}/localhost.key" }}
access {{ relay = {{"127.0.0.0/8"}} }}
limits {{ connections = 5000  connections-in = 5000  connections-per-address = 5000  message-size = 100MB }}
recipients {{ mailboxes = {{"any"}} }}
log {{ to = {{"file:{d}/log"}} }}
listen "smtp" {{ service = "smtp" address = {{"fd:{self.sockets["smtp"].fileno()}"}} tls = "starttls" }}
"""
        if self.mode == "hold":
            text += "queue { deliver = false }\n"
        if self.mode == "pop3":
            text += f'''auth {{ backends = {{"file://{d}/users"}}  without-tls = {{"PLAIN", "LOGIN"}} }}
listen "pop3" {{ service = "pop3" address = {{"fd:{self.sockets["pop3"].fileno()}"}} tls = "off" }}
'''
        if self.mode == "dead":
            text += baridtest.upstream("nobody", self.nobody) + baridtest.route("*", "nobody")
        if self.sink:
            text += baridtest.upstream("sink", self.sink.port) + baridtest.route("*", "sink")
        with open(self.conf, "w", encoding="utf-8") as f:
            f.write(text)

    def start(self, *args):
        if self.traced:
            return self.start_traced()
        if self.cgroup:
            with self.cgroup.inside():
                return super().start(*args)
        return super().start(*args)

    def start_traced(self):
        """As start() does it, below a tracer that is nobody's parent."""
        self.stderr = open(self.dir + "/stderr", "ab")
        self.process = subprocess.Popen(
            ["strace", "-D", "-f", "-qq", "-s", "0", "-o", self.trace_path, baridtest.program("barid"),
             "-f", "-c", self.conf], pass_fds=[s.fileno() for s in self.sockets.values()],
            stdin=subprocess.DEVNULL, stderr=self.stderr, env=self.env)
        wait_for("barid to be ready", self.ready)
        return self

    def close(self):
        self.stop()
        for name in ("spool", "mail"):
            Trash.take(f"{self.dir}/{name}")
        super().close()
        self.drop()

    def drop(self):
        if self.sink:
            self.sink.stop()
        if self.cgroup:
            self.cgroup.remove()

    # ---- work -------------------------------------------------------------------

    def load(self, *args):
        what, rest = args[0], [str(a) for a in args[1:]]
        if what == "pop3":
            return self.fetch(int(rest[rest.index("-n") + 1]))
        if what == "send":
            rest = ["-t", "u%@bench.test", "-b", str(self.boxes)] + rest
        r = subprocess.run([LOAD, what, *rest, self.host, str(self.port["smtp"])],
                           stdout=subprocess.PIPE, text=True, timeout=600)
        assert r.returncode == 0, (r, self.log()[-2000:])
        got = json.loads(r.stdout)
        self.taken += got.get("messages", 0)
        return got

    def fetch(self, n):
        """N messages that stand in a box are fetched and deleted, in one session."""
        box, uid = self.dir + "/mail/u1", self.uid if ROOT else -1
        text = b"Subject: x\n\n" + b"0123456789abcdef\n" * 300
        for sub in ("", "/tmp", "/new", "/cur"):
            os.makedirs(box + sub, 0o700, exist_ok=True)
            os.chown(box + sub, uid, -1)
        for i in range(n):
            name = f"{box}/new/{1000000000 + i}.Q{i:019X}R0.mx,S={len(text)},W={len(text) + 302}"
            with open(name, "wb") as f:
                f.write(text)
            os.chown(name, uid, -1)
        c = poplib.POP3(self.host, self.port["pop3"])
        c.user("u1")
        c.pass_(baridtest.PASSWORD)
        assert c.stat()[0] == n
        for i in range(1, n + 1):
            c.retr(i)
        for i in range(1, n + 1):
            c.dele(i)
        c.quit()
        return {}

    def done(self):
        """Messages that are through."""
        if self.mode == "dead":
            return sum(len(files) for _, _, files in os.walk(self.dir + "/spool/cur"))
        if self.mode == "relay":
            return self.sink.count()
        if self.mode == "maildir":
            return sum(len(os.listdir(d)) for d in glob.glob(f"{self.dir}/mail/*/new"))
        return self.taken

    def settle(self):
        """Waits until all that was taken is through."""
        wait_for(f"{self.taken} messages", lambda: self.done() >= self.taken, 120)
        if self.mode != "hold":
            wait_for("an empty spool", lambda: not os.listdir(self.dir + "/spool/new"), 60)

    # ---- figures -----------------------------------------------------------------

    def pids(self):
        """The master and all its children."""
        parents = {}
        for stat in glob.glob("/proc/[0-9]*/stat"):
            with contextlib.suppress(OSError):
                text = open(stat, encoding="utf-8", errors="replace").read()
                parents[int(stat.split("/")[2])] = int(text.rpartition(")")[2].split()[1])
        return [self.process.pid] + [p for p, parent in parents.items() if parent == self.process.pid]

    def cpu(self):
        """Processor time so far, in seconds."""
        if self.cgroup:
            return self.cgroup.cpu()
        ticks = 0
        for pid in self.pids():
            with contextlib.suppress(OSError):
                text = open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace").read()
                fields = text.rpartition(")")[2].split()
                # Its own; the master has waited for every session and has their time.
                ticks += sum(map(int, fields[11:13]))
                if pid == self.process.pid:
                    ticks += sum(map(int, fields[13:15]))
        return ticks / os.sysconf("SC_CLK_TCK")

    def memory(self):
        """(KiB of proportional set sizes, processes)."""
        total, count = 0, 0
        for pid in self.pids():
            with contextlib.suppress(OSError):
                text = open(f"/proc/{pid}/smaps_rollup", encoding="ascii", errors="replace").read()
                total += int(re.search(r"^Pss:\s+(\d+)", text, re.M).group(1))
                count += 1
        return total, count

    def end(self):
        """Stops it: what it and all its children have used, (CPU seconds, context switches)."""
        def used():
            u = resource.getrusage(resource.RUSAGE_CHILDREN)
            return u.ru_utime + u.ru_stime, u.ru_nvcsw + u.ru_nivcsw
        before = used()
        self.stop()
        return tuple(b - a for a, b in zip(before, used()))

    # ---- system calls --------------------------------------------------------------

    def quiet(self):
        """Waits until nothing has been traced for a while; the length of the trace."""
        size, since = -1, time.monotonic()
        while time.monotonic() - since < 0.25:
            now = os.path.getsize(self.trace_path)
            if now != size:
                size, since = now, time.monotonic()
            time.sleep(0.02)
        return size

    def tasks(self):
        """Whose thread is whose, of master and helpers."""
        names = {self.process.pid: "master"}
        for pid in self.pids()[1:]:
            with contextlib.suppress(FileNotFoundError):
                for task in os.listdir(f"/proc/{pid}/task"):
                    names[int(task)] = open(f"/proc/{pid}/comm", encoding="ascii").read().strip()
        return names

    def trace(self, *args):
        """The calls that this load makes: a Counter of (who, call)."""
        # Nobody is left of the load before: only helpers stand here.
        begin = self.quiet()
        names = self.tasks()
        self.load(*args)
        self.settle()
        end = self.quiet()
        # Threads that a helper started meanwhile are its own; the sessions have gone.
        names.update(self.tasks())
        with open(self.trace_path, "rb") as f:
            f.seek(begin)
            text = f.read(end - begin).decode("ascii", "replace")
        calls = collections.Counter()
        for pid, call in re.findall(r"^(\d+) +(\w+)\(", text, re.M):
            calls[names.get(int(pid), "session"), call] += 1
        return calls


def per_message(calls, n, wanted=None):
    return sum(v for (_, call), v in calls.items() if wanted is None or call in wanted) / n
