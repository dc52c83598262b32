# SPDX-License-Identifier: GPL-3.0-or-later
"""baridtest -- what end-to-end tests share: a barid of their own, and helpers.

Each Barid lives in a folder of its own, runs the programs that were
installed into BARID_STAGE, and listens on ports that the kernel chose: the
test binds them and hands the descriptors over, so that nothing is fixed and
nothing races.

    with Barid() as b:
        b.send("a@example.test", ["alice@example.test"], "Subject: x\\r\\n\\r\\nhello\\r\\n")
        assert b"hello" in b.mail("alice", 1)[0]
"""
import atexit
import contextlib
import crypt
import errno
import glob
import json
import os
import poplib
import pty
import pwd
import re
import resource
import select
import shutil
import signal
import smtplib
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time

STAGE = os.environ["BARID_STAGE"]
PREFIX = os.environ.get("BARID_PREFIX", "/usr/local")
SRC = os.environ["BARID_SRC"]
OBJ = os.environ["BARID_OBJ"]
TOOLS = SRC + "/tests/tools"
PASSWORD = "barid"
ROOT = os.geteuid() == 0
# What runs as whom: root gives its sessions to nobody.
USER = "nobody" if ROOT else pwd.getpwuid(os.geteuid()).pw_name
NO_VERIFY = ssl.create_default_context()
NO_VERIFY.check_hostname = False
NO_VERIFY.verify_mode = ssl.CERT_NONE


# The environment of a barid that is traced at its end: LeakSanitizer works by tracing, too.
TRACED = {"ASAN_OPTIONS": os.environ.get("ASAN_OPTIONS", "") + ":detect_leaks=0"}


def program(name):
    for d in ("sbin", "bin", "libexec/barid"):
        p = f"{STAGE}{PREFIX}/{d}/{name}"
        if os.path.exists(p):
            return p
    raise SystemExit(f"{name} is not installed under {STAGE}{PREFIX}")


def sanitized():
    """True if the programs keep what was freed, and have memory of a sanitizer beside theirs."""
    with open(program("barid"), "rb") as f:
        return b"__asan_init" in f.read()


def on_terminal(*command, folder, timeout=60, **env):
    """Runs a program that wants a terminal; returns its exit code and what it showed."""
    pid, fd = pty.fork()
    if pid == 0:
        os.chdir(folder)
        os.environ.update(env, HOME=folder, TERM="xterm", LC_ALL="C.UTF-8", LINES="40", COLUMNS="120")
        os.execvp(command[0], command)
    shown, end = b"", time.monotonic() + timeout
    while time.monotonic() < end:
        if not select.select([fd], [], [], 0.2)[0]:
            continue
        try:
            got = os.read(fd, 1 << 16)
        except OSError:
            got = b""
        if not got:
            break
        shown += got
    else:
        os.kill(pid, signal.SIGKILL)
    os.close(fd)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), shown


def same(got, want, what=""):
    """Asserts that two texts are the same octets, and says where they begin to differ."""
    if got != want:
        at = next((i for i, (x, y) in enumerate(zip(got, want)) if x != y), min(len(got), len(want)))
        raise AssertionError(f"{what}: {len(got)} and {len(want)} octets, different from {at}: "
                             f"{got[max(at - 40, 0):at + 80]!r}, not {want[max(at - 40, 0):at + 80]!r}")


def message(subject="x", body="hello\r\n"):
    """A whole one of alice's; its BODY is text, or octets."""
    return (f"From: alice@example.test\r\nTo: carol@far.example\r\nSubject: {subject}\r\n"
            "Date: Fri, 20 Nov 2026 12:00:00 +0000\r\nMessage-ID: <1@example.test>\r\n\r\n").encode() + \
        (body.encode() if isinstance(body, str) else body)


def body_of(text):
    return text.split(b"\r\n\r\n", 1)[1]


def crc32c(data, total=0):
    total ^= 0xFFFFFFFF
    for octet in data:
        total ^= octet
        for _ in range(8):
            total = total >> 1 ^ (0x82F63B78 if total & 1 else 0)
    return total ^ 0xFFFFFFFF


def spool_file(env, text):
    """A message as the spool has it (barid-spool(5)); ENV ends with the blank line."""
    total = crc32c(env)
    first = f"barid-1 env={64 + len(env):07} sum={total:08X} size={len(text):012} crc={crc32c(text, total):08X}\n"
    return first.encode() + env + text


def skip(why):
    print(why)
    raise SystemExit(77)


def alone_with_mounts():
    """Goes on in a namespace of its own: whatever happens, no mount stays.  Skips who may not mount."""
    if "BARID_UNSHARED" not in os.environ:
        if subprocess.run(["unshare", "-m", "mount", "-t", "tmpfs", "tmpfs", "/mnt"], capture_output=True).returncode:
            skip("mounting a file system is not allowed here")
        os.environ["BARID_UNSHARED"] = "1"
        os.execvp("unshare", ["unshare", "-m", "--propagation", "private", sys.executable, *sys.argv])


def need(*programs):
    for p in programs:
        if not shutil.which(p):
            raise SystemExit(f"{p} is missing: run `make deps`")


def run(*command, data=b"", code=0, folder=None, **env):
    """Runs a program that we did not write; its HOME is FOLDER.  Returns its output, both kinds."""
    if folder:
        env["HOME"] = folder
    r = subprocess.run(command, input=data, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=120,
                       cwd=folder, env=dict(os.environ, LC_ALL="C.UTF-8", **env))
    assert code is None or r.returncode == code, (r.returncode, r.stdout[-4000:], command)
    return r.stdout


# Only a bound: a machine may be busy, and a sanitizer slow.
PATIENCE = 4


def fetched(package, folder):
    """Unpacks PACKAGE into FOLDER, as `make deps` left it for this build or for one below it."""
    for place in ("/peers", "/../../peers"):
        if found := glob.glob(os.environ["BARID_OBJ"] + place + f"/{package}_*.deb"):
            run("dpkg", "-x", found[0], folder)
            return
    skip(f"the package {package} was not fetched: run `make deps`, with a network")


def wait_for(what, condition, timeout=20):
    """Returns what CONDITION returns once that is true."""
    timeout *= PATIENCE
    end = time.monotonic() + timeout
    while True:
        got = condition()
        if got:
            return got
        if time.monotonic() > end:
            raise AssertionError(f"waited {timeout} s for {what}")
        time.sleep(0.01)


def certificate(folder, name="localhost", ca=None):
    """Makes NAME's key and certificate in FOLDER; self-signed, or signed by CA (its paths)."""
    key, cert = f"{folder}/{name}.key", f"{folder}/{name}.pem"
    cmd = ["openssl", "req", "-x509" if not ca else "-new", "-newkey", "ec", "-pkeyopt",
           "ec_paramgen_curve:P-256", "-nodes", "-subj", f"/CN={name}", "-keyout", key,
           "-addext", f"subjectAltName=DNS:{name},DNS:localhost,IP:127.0.0.1"]
    if not ca:
        subprocess.run(cmd + ["-days", "30", "-out", cert], check=True, capture_output=True)
        return cert, key
    csr = f"{folder}/{name}.csr"
    subprocess.run(cmd + ["-out", csr], check=True, capture_output=True)
    subprocess.run(["openssl", "x509", "-req", "-in", csr, "-CA", ca[0], "-CAkey", ca[1],
                    "-CAcreateserial", "-days", "30", "-copy_extensions", "copy", "-out", cert],
                   check=True, capture_output=True)
    return cert, key


def expire(folder, pem, key):
    """Makes of the certificate PEM, of KEY, one that signs itself and was good in January of 2020."""
    # x509 knows no time in the past, ca does.
    with open(folder + "/ca.cnf", "w", encoding="ascii") as f:
        f.write(f"[ca]\ndefault_ca=d\n[d]\ndatabase={folder}/index.txt\nrand_serial=yes\nnew_certs_dir={folder}\n"
                "default_md=sha256\npolicy=p\ncopy_extensions=copy\n[p]\ncommonName=supplied\n")
    with open(folder + "/index.txt", "w", encoding="ascii"):
        pass
    run("openssl", "x509", "-x509toreq", "-in", pem, "-signkey", key, "-copy_extensions", "copy", "-out", pem + ".csr")
    run("openssl", "ca", "-batch", "-selfsign", "-config", folder + "/ca.cnf", "-in", pem + ".csr", "-keyfile", key,
        "-out", pem, "-notext", "-startdate", "20200101000000Z", "-enddate", "20200201000000Z")


def private_parts(key):
    """What of the private key in the file KEY would be in the memory of who has it, in any of its forms."""
    text = subprocess.run(["openssl", "pkey", "-in", key, "-noout", "-text"], check=True, capture_output=True,
                          text=True).stdout
    found = []
    for what in ("priv", "privateExponent", "prime1", "prime2"):
        m = re.search(rf"^{what}:\n((?:    .*\n)+)", text, re.M)
        if m:
            octets = bytes.fromhex(re.sub(r"[\s:]", "", m[1])).lstrip(b"\0")
            found += [octets, octets[::-1]]
    with open(key, encoding="ascii") as f:
        found.append(f.read().splitlines()[2].encode())
    assert len(found) >= 3 and all(len(n) > 16 for n in found), found
    return found


HELD = []


def free_port(hosts):
    """A port that is free on each of these addresses, and is this test's to its end: a socket is bound to it that never
    listens.  So who connects is refused, and the kernel gives it to nobody; but who sets SO_REUSEADDR may bind it, too,
    and listen."""
    while True:
        with contextlib.ExitStack() as stack:
            port, held = 0, []
            try:
                for host in hosts:
                    family = socket.AF_INET6 if ":" in host else socket.AF_INET
                    held.append(stack.enter_context(socket.socket(family)))
                    held[-1].bind((host, port))
                    port = held[-1].getsockname()[1]
            except OSError as e:
                if e.errno != errno.EADDRINUSE:
                    raise
                continue
            stack.pop_all()
        for s in held:
            # Only now: nobody else is to hold the same.
            s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        HELD.extend(held)
        return port


def listening(port):
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return False
    return True


def halt(pid):
    """SIGSTOP, and none of its threads runs any more: kill() does not wait for those that are not the first."""
    os.kill(pid, signal.SIGSTOP)

    def stands(task):
        with open(f"{task}/stat", encoding="utf-8") as f:
            return f.read().rsplit(")", 1)[1].split()[0] in "TtZX"
    wait_for(f"process {pid} to stand", lambda: all(stands(t) for t in glob.glob(f"/proc/{pid}/task/*")))


def unix_listener(path):
    """That anybody may connect to."""
    s = socket.socket(socket.AF_UNIX)
    s.bind(path)
    os.chmod(path, 0o777)
    s.listen(200)
    return s


class Script:
    """A script of a test's own in the place of a server: SERVE(c) has each connection, in a thread of it or, if it is
    SERIAL, one after the other."""

    serial = False

    def __init__(self, sock=None):
        self.sock = sock or socket.create_server(("127.0.0.1", 0), backlog=200)
        self.port = self.sock.getsockname()[1] if self.sock.family != socket.AF_UNIX else None
        self.thread = threading.Thread(target=self.accept, daemon=True)
        self.thread.start()

    def accepted(self, c):
        """What SERVE is called with; in the order in which they come."""
        return (c,)

    def accept(self):
        with contextlib.suppress(OSError):
            while True:
                args = self.accepted(self.sock.accept()[0])
                if self.serial:
                    self.whole(*args)
                else:
                    threading.Thread(target=self.whole, args=args, daemon=True).start()

    def whole(self, c, *args):
        with c, contextlib.suppress(OSError):
            self.serve(c, *args)

    def close(self):
        """The thread ends first: a closed socket leaves its number to the next server's, on which it would accept."""
        with contextlib.suppress(OSError):
            self.sock.shutdown(socket.SHUT_RDWR)
        self.thread.join(timeout=20)
        self.sock.close()

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.close()


class Peer:
    """A tool of tests/tools (sinkd, dnsd) that prints "PORT n" when it is ready; BEFORE it stand other words."""

    before = ()

    def __init__(self, tool, *args):
        self.process = subprocess.Popen([*self.before, sys.executable, f"{TOOLS}/{tool}", *args],
                                        stdout=subprocess.PIPE, text=True)
        # Also where a test fails before it could say that it is over.
        atexit.register(self.process.kill)
        line = self.process.stdout.readline()
        if not line.startswith("PORT "):
            raise AssertionError(f"{tool} did not start: {line!r}")
        self.port = int(line.split()[1])

    def stop(self):
        self.process.terminate()
        self.process.wait()
        self.process.stdout.close()

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.stop()


class Sink(Peer):
    """sinkd with a folder of its own for what it was given."""

    def __init__(self, *args, rules=()):
        self.out = tempfile.mkdtemp(prefix="barid-sink-")
        # A port of its own: when it has stopped, whoever connects is refused.
        if not self.before and not {"--port", "--unix"} & {a.partition("=")[0] for a in args}:
            host = dict(zip(args, args[1:])).get("--host", "127.0.0.1")
            args = (*args, "--port", str(free_port([host])))
        super().__init__("sinkd", "--out", self.out, *args, *(f"--rule={r}" for r in rules))

    def facts(self, pattern):
        found = []
        for path in sorted(glob.glob(f"{self.out}/{pattern}.json")):
            with open(path, encoding="utf-8") as f:
                found.append(json.load(f))
                found[-1]["number"] = os.path.basename(path)[:-5]
        return found

    def messages(self, count=0, timeout=30):
        """Waits for COUNT messages; the facts of all that were taken, each with its "text"."""
        wait_for(f"{count} messages at port {self.port}",
                 lambda: len(self.facts("[0-9]*")) >= count, timeout)
        found = self.facts("[0-9]*")
        for m in found:
            with open(f"{self.out}/{m['number']}.eml", "rb") as f:
                m["text"] = f.read()
        return found

    def connections(self, count=0, timeout=30):
        """The same of connections that have ended.  With no COUNT also of those that go on: what is known so far, and
        their "end" is None."""
        wait_for(f"{count} connections to port {self.port}",
                 lambda: len(self.facts("conn-*")) >= count, timeout)
        if count:
            return self.facts("conn-*")
        return [self.connection(path[:-len(".open")]) for path in sorted(glob.glob(f"{self.out}/conn-*.open"))]

    def connection(self, path):
        with contextlib.suppress(FileNotFoundError), open(path + ".json", encoding="utf-8") as f:
            return json.load(f)
        found = {"lines": [], "messages": [], "faults": [], "end": None}
        with open(path + ".open", encoding="utf-8") as f:
            # The last one may be being written.
            for line in f.read().split("\n")[:-1]:
                what, value = json.loads(line)
                found[what].append(value)
        return found

    def said(self):
        """Every command line so far: each is there before it is answered."""
        return [line for c in self.connections() for line in c["lines"]]

    def wires(self):
        """The octets of each connection, if --wire was given."""
        found = []
        for path in sorted(glob.glob(f"{self.out}/conn-*.wire")):
            with open(path, "rb") as f:
                found.append(f.read())
        return found

    def stop(self):
        super().stop()
        shutil.rmtree(self.out, ignore_errors=True)


class Taker:
    """`load sink`: a server that takes everything, fast, and writes down whose it was."""

    def __init__(self, host="127.0.0.1", port=0):
        self.file = tempfile.mktemp(prefix="barid-taken-")
        self.process = subprocess.Popen([OBJ + "/tools/load", "sink", "-o", self.file, host, str(port)],
                                        stdout=subprocess.PIPE, text=True)
        self.port = int(self.process.stdout.readline().split()[1])

    def count(self):
        self.process.send_signal(signal.SIGUSR1)
        return json.loads(self.process.stdout.readline())["messages"]

    def taken(self):
        """Ends it; the RCPT line of each message that it took."""
        self.process.terminate()
        assert self.process.wait() == 0
        with open(self.file, encoding="ascii") as f:
            return f.read().splitlines()

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.process.kill()
        self.process.wait()
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self.file)


def spool(b, sender, rcpt, count, *options):
    """Puts COUNT messages into the spool of a barid, behind its back; in RCPT a % is the number of each."""
    made = subprocess.run([OBJ + "/tools/spool", "-n", str(count), *options, b.dir + "/spool", "7BIT", sender, rcpt],
                          input=b"Subject: x\r\n\r\ntext\r\n", stdout=subprocess.PIPE, check=True)
    assert made.stdout.count(b"\n") == count


class Names(Peer):
    """dnsd with the zone that is given as lines; CONF is what makes barid ask it, and wait for it on a slow machine."""

    def __init__(self, zone):
        self.folder = tempfile.mkdtemp(prefix="barid-names-")
        self.write(zone)
        super().__init__("dnsd", "--zone", self.folder + "/zone", "--log", self.folder + "/log")
        self.conf = self.within("30s")

    def within(self, timeout):
        """The same where a question has no answer, and the test waits for that: TIMEOUT, and what else dns {} is to have."""
        return f'dns {{ servers = {{"127.0.0.1:{self.port}"}} timeout = {timeout} }}\n'

    def write(self, zone):
        with open(self.folder + "/zone", "w", encoding="utf-8") as f:
            f.write(zone)

    def change(self, zone):
        self.write(zone)
        self.process.send_signal(signal.SIGHUP)

    def asked(self):
        with open(self.folder + "/log", encoding="utf-8") as f:
            return f.read().split("\n")

    def stop(self):
        super().stop()
        shutil.rmtree(self.folder, ignore_errors=True)


class Clock:
    """A wall clock that is set by the test, for one Barid in its FOLDER; what waits, waits in real time."""

    LIBRARY = "/usr/lib/*/faketime/libfaketimeMT.so.1"

    def __init__(self):
        found = glob.glob(self.LIBRARY)
        if not found:
            raise SystemExit("libfaketime is missing: run `make deps`")
        # Sessions are locked up in the spool: there the same path leads to a copy (but tmp/ is the spool's own).
        self.folder = tempfile.mkdtemp(prefix="barid-clock-", dir="/var/tmp")
        os.chmod(self.folder, 0o755)
        inside = f"{self.folder}/spool{self.folder}"
        os.makedirs(inside)
        if ROOT:
            shutil.chown(self.folder + "/spool", USER)
        self.files = (self.folder + "/clock", inside + "/clock")
        self.ahead = 0
        self.set(0)
        self.env = {"LD_PRELOAD": found[0], "FAKETIME_TIMESTAMP_FILE": self.files[0], "FAKETIME_NO_CACHE": "1",
                    "FAKETIME_DONT_FAKE_MONOTONIC": "1", "DONT_FAKE_MONOTONIC": "1",
                    # The library comes before the sanitizer's, if there is one.
                    "ASAN_OPTIONS": os.environ.get("ASAN_OPTIONS", "") + ":verify_asan_link_order=0"}

    def set(self, ahead):
        """From now on it is AHEAD seconds ahead of the real one."""
        for path in self.files:
            with open(path + ".tmp", "w", encoding="ascii") as f:
                f.write(f"{ahead:+.6f}")
            os.rename(path + ".tmp", path)
        self.ahead = ahead

    def freeze(self, ahead):
        """It is AHEAD seconds ahead of the real one, and stands still: what waits for a time waits for ever."""
        for path in self.files:
            with open(path + ".tmp", "w", encoding="ascii") as f:
                f.write(time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(time.time() + ahead)))
            os.rename(path + ".tmp", path)

    def now(self):
        return time.time() + self.ahead


class Silent:
    """A port that takes no connection and refuses none: its backlog is full."""

    def __init__(self, host, port):
        self.sock = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.sock.bind((host, port))
        self.sock.listen(0)
        self.fill = []
        for _ in range(3):
            c = socket.socket(self.sock.family)
            c.setblocking(False)
            c.connect_ex((host, self.sock.getsockname()[1]))
            self.fill.append(c)

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        for c in self.fill:
            c.close()
        self.sock.close()


TINY = """Port {port}
Listen 127.0.0.1
User {user}
LogFile "{d}/log"
LogLevel Connect
MaxClients 20
BasicAuth me hush
{more}
"""


class Tiny:
    """tinyproxy, an HTTP proxy that wants a login; CONNECTED: where it led to."""

    def __init__(self, more=""):
        need("tinyproxy")
        self.folder = tempfile.mkdtemp(prefix="barid-tiny-")
        self.port = free_port(["127.0.0.1"])
        with open(self.folder + "/conf", "w", encoding="utf-8") as f:
            f.write(TINY.format(port=self.port, d=self.folder, user=pwd.getpwuid(os.geteuid()).pw_name, more=more))
        self.process = subprocess.Popen(["tinyproxy", "-d", "-c", self.folder + "/conf"],
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_for("tinyproxy", lambda: listening(self.port))

    def connected(self):
        with open(self.folder + "/log", encoding="utf-8") as f:
            return re.findall(r"Request .*: CONNECT (\S+) HTTP", f.read())

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.process.terminate()
        self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)


def merge(text):
    """A section may stand once; those that take a line each are put together."""
    lines, at = [], {}
    for line in text.split("\n"):
        m = re.fullmatch(r"([\w-]+) \{ (.*) \}", line)
        if m and m.group(1) in at:
            first = at[m.group(1)]
            lines[first] = lines[first][:-1] + m.group(2) + " }"
            continue
        if m:
            at[m.group(1)] = len(lines)
        lines.append(line)
    return "\n".join(lines)


def upstream(name, *servers):
    """An upstream of SERVERS: each a port, or (host, port, "options")."""
    text = f'upstream "{name}" {{\n'
    for s in servers:
        host, port, options = s if isinstance(s, tuple) else ("127.0.0.1", s, 'tls = "off"')
        text += f'\tserver "{host}" {{ port = {port} {options} }}\n'
    return text + "}\n"


def route(pattern, name):
    return f'route "{pattern}" {{ via = "{name}" }}\n'


def smarthost(*servers, extra="", **kw):
    """A Barid from which everybody may send everything, by these SERVERS."""
    return Barid(extra=upstream("up", *servers) + route("*", "up") + extra, relay=("127.0.0.0/8",), **kw)


class Wire:
    """A connection by hand, for what no client library would say."""

    def __init__(self, port, tls=False, host="127.0.0.1", source="127.0.0.1"):
        self.sock = socket.create_connection((host, port), 30, (source, 0))
        self.data = b""
        if tls:
            self.start_tls()

    def start_tls(self):
        self.sock = NO_VERIFY.wrap_socket(self.sock, server_hostname="localhost")

    def send(self, data):
        self.sock.sendall(data.encode() if isinstance(data, str) else data)

    def line(self):
        """A line without its CRLF; None at the end of the connection."""
        while b"\n" not in self.data:
            try:
                got = self.sock.recv(1 << 16)
            except ConnectionResetError:
                got = b""
            if not got:
                assert not self.data, f"the connection ended within a line: {self.data!r}"
                return None
            self.data += got
        line, self.data = self.data.split(b"\n", 1)
        assert line.endswith(b"\r") and b"\r" not in line[:-1], line
        return line[:-1]

    def lines(self):
        """What stands before a lone dot, dots unstuffed."""
        found = []
        while (line := self.line()) != b".":
            assert line is not None, found
            found.append(line[1:] if line.startswith(b".") else line)
        return found

    def cmd(self, text):
        self.send(text + "\r\n" if isinstance(text, str) else text + b"\r\n")
        return self.line()

    def reply(self):
        """An SMTP reply with all its lines."""
        found = []
        while True:
            line = self.line()
            if line is None:
                return b"\n".join(found)
            found.append(line)
            if line[3:4] != b"-":
                return b"\n".join(found)

    def smtp(self, text):
        self.send(text + "\r\n" if isinstance(text, str) else text + b"\r\n")
        return self.reply()

    def close(self):
        self.sock.close()

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.close()


class Barid:
    LISTEN = {"smtp": ("smtp", "starttls"), "submission": ("submission", "required"),
              "submissions": ("submission", "implicit"), "pop3": ("pop3", "required"),
              "pop3s": ("pop3", "implicit")}

    # What a listener has of its own: name -> options.
    own = {}
    log_format = "text"

    def __init__(self, hostname="mx.example.test", domain="example.test", users=("alice", "bob"),
                 extra="", listen=None, host="127.0.0.1", relay=(), start=True, folder=None, env=None, ports=None):
        self.dir = folder or tempfile.mkdtemp(prefix="barid-test-")
        os.chmod(self.dir, 0o755)
        self.hostname, self.domain, self.users, self.extra = hostname, domain, users, extra
        self.host, self.relay = host, relay
        self.listen = listen or self.LISTEN
        self.env = dict(os.environ, **(env or {}))
        self.env.pop("BARID_LIBEXEC", None)
        self.uid = pwd.getpwnam(USER).pw_uid
        self.sockets, self.port = {}, {}
        self.process = None
        self.conf = self.dir + "/barid.conf"
        self.log_path = self.dir + "/log"
        for name in self.listen:
            self.bind(name, (ports or {}).get(name, 0))
        if not os.path.exists(self.dir + "/localhost.pem"):
            certificate(self.dir)
        self.set_users(users)
        self.write_conf()
        if start:
            self.start()

    # ---- set-up -------------------------------------------------------------

    def bind(self, name, port=0):
        s = socket.socket(socket.AF_INET6 if ":" in self.host else socket.AF_INET)
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        s.bind((self.host, port))
        s.listen(1024)
        self.sockets[name], self.port[name] = s, s.getsockname()[1]

    def set_users(self, users, password=PASSWORD):
        salt = crypt.mksalt(crypt.METHOD_SHA512, rounds=1000)
        tmp = self.dir + "/users.tmp"
        with open(tmp, "w") as f:
            os.fchmod(f.fileno(), 0o600)
            f.write("".join(f"{u}:{crypt.crypt(password, salt)}\n" for u in users))
        os.rename(tmp, self.dir + "/users")

    def write_conf(self, extra=None):
        if extra is not None:
            self.extra = extra
        d = self.dir
        text = f"""hostname = "{self.hostname}"
domains = {{"{self.domain}"}}
postmaster = "postmaster@{self.domain}"
user = "{USER}"
spool = "{d}/spool"
mailboxes = "{d}/mail"
run = "{d}/run"
tls {{ certificate = "{d}/localhost.pem"  key = "{d}/localhost.key" }}
auth {{ backends = {{"file://{d}/users"}} failure-delay = 100ms failures-to-block = 0 }}
access {{ relay = {{{", ".join(f'"{n}"' for n in self.relay)}}} }}
log {{ to = {{"file:{d}/log"}} level = "debug" format = "{self.log_format}" }}
"""
        for name, (service, tls) in self.listen.items():
            text += f'listen "{name}" {{ service = "{service}" address = {{"fd:{self.sockets[name].fileno()}"}} tls = "{tls}" {self.own.get(name, "")} }}\n'
        with open(self.conf, "w") as f:
            f.write(merge(text + self.extra))

    # ---- life ---------------------------------------------------------------

    def start(self, *args):
        fds = [s.fileno() for s in self.sockets.values()]
        self.stderr = open(self.dir + "/stderr", "ab")
        self.process = subprocess.Popen([program("barid"), "-f", "-c", self.conf, *args], pass_fds=fds,
                                        stdin=subprocess.DEVNULL, stderr=self.stderr, env=self.env)
        wait_for("barid to be ready", self.ready)
        return self

    def ready(self):
        if self.process.poll() is not None:
            raise AssertionError(f"barid ended with {self.process.returncode}: {self.errors()}\n{self.log()}")
        return os.path.exists(self.dir + "/run/barid.pid")

    def stop(self, signo=signal.SIGTERM, timeout=40):
        if self.process and self.process.poll() is None:
            self.process.send_signal(signo)
            self.process.wait(timeout)
        code = self.process.returncode if self.process else None
        self.process = None
        return code

    def kill(self):
        """kill -9 of the master; its helpers follow."""
        self.process.kill()
        self.process.wait()
        self.process = None
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self.dir + "/run/barid.pid")

    def reload(self):
        n = self.log().count("reload")
        self.process.send_signal(signal.SIGHUP)
        wait_for("the reload", lambda: self.log().count("reload") > n)

    @contextlib.contextmanager
    def without_descriptors(self):
        """The master can open nothing; what it has open stays."""
        limit = resource.prlimit(self.process.pid, resource.RLIMIT_NOFILE)
        resource.prlimit(self.process.pid, resource.RLIMIT_NOFILE, (4, limit[1]))
        yield
        resource.prlimit(self.process.pid, resource.RLIMIT_NOFILE, limit)

    def close(self):
        self.stop()
        for s in self.sockets.values():
            s.close()
        if hasattr(self, "stderr"):
            self.stderr.close()
        report = self.sanitizer_report()
        # BARID_KEEP=1: to be looked at.
        if not os.environ.get("BARID_KEEP"):
            shutil.rmtree(self.dir, ignore_errors=True)
        assert not report, report

    def sanitizer_report(self):
        text = self.errors()
        return text if "Sanitizer" in text or "runtime error" in text else ""

    def __enter__(self):
        return self

    def __exit__(self, kind, exc, tb):
        if kind:
            print("---- log\n" + self.log()[-6000:] + "\n---- stderr\n" + self.errors()[-3000:])
        self.close()

    # ---- looking --------------------------------------------------------------

    def read(self, path):
        try:
            with open(path, encoding="utf-8", errors="replace") as f:
                return f.read()
        except (FileNotFoundError, ProcessLookupError):
            return ""

    def log(self):
        """The whole lines so far: one that is being written can be seen in part."""
        text = self.read(self.log_path)
        return text[:text.rfind("\n") + 1]

    def errors(self):
        return self.read(self.dir + "/stderr")

    def mailbox(self, user):
        """The files of a mailbox, oldest first."""
        found = []
        for sub in ("new", "cur"):
            d = f"{self.dir}/mail/{user}/{sub}"
            if os.path.isdir(d):
                found += [f"{d}/{n}" for n in os.listdir(d)]
        return sorted(found, key=os.path.basename)

    def mail(self, user, count, timeout=20):
        """Waits for COUNT messages and returns their bytes, oldest first."""
        wait_for(f"{count} messages for {user}", lambda: len(self.mailbox(user)) >= count, timeout)
        return [open(p, "rb").read() for p in self.mailbox(user)]

    def put(self, user, name, data, sub="new"):
        """Puts a file into a mailbox, as another program might."""
        box = f"{self.dir}/mail/{user}"
        for d in (box, box + "/tmp", box + "/new", box + "/cur"):
            if not os.path.isdir(d):
                os.makedirs(d, 0o700)
                self.give(d)
        with open(f"{box}/{sub}/{name}", "wb") as f:
            f.write(data)
        self.give(f"{box}/{sub}/{name}")
        return f"{box}/{sub}/{name}"

    def give(self, path):
        """To the user as whom sessions run."""
        if ROOT:
            shutil.chown(path, USER)

    def peak(self, pid):
        """The most memory that a process had, in octets."""
        return int(re.search(r"VmHWM:\s+(\d+)", self.read(f"/proc/{pid}/status")).group(1)) << 10

    def sessions(self):
        """The process ids of the sessions."""
        found = []
        for pid in filter(str.isdigit, os.listdir("/proc")):
            name, _, rest = self.read(f"/proc/{pid}/stat").rpartition(")")
            if not name.endswith("(barid") or rest.split()[:2][-1] != str(self.process.pid):
                continue
            # So is called, too, whoever the master has started and is not yet another program, nor confined.
            if self.read(f"/proc/{pid}/cmdline").startswith("barid-acceptor\0") and \
                    "\nNoNewPrivs:\t1\n" in self.read(f"/proc/{pid}/status"):
                found.append(int(pid))
        return found

    def processes(self):
        """All that run with this configuration, children of a killed master too."""
        return [int(p) for p in filter(str.isdigit, os.listdir("/proc"))
                if f"\0{self.conf}\0" in self.read(f"/proc/{p}/cmdline")]

    def runners(self):
        """Those of the master that runs."""
        def is_one(stat):
            return "(barid-runner) " in stat and stat.rpartition(")")[2].split()[1] == str(self.process.pid)
        return [p for p in self.processes() if is_one(self.read(f"/proc/{p}/stat"))]

    def runner(self):
        """One of them; 0 if there is none."""
        return next(iter(self.runners()), 0)

    def spooled(self):
        """Message files that stand in the spool: (place, name)."""
        # What was released, or came out of drop/, went the other way than one walk does.
        return self.walk() or self.walk()

    def walk(self):
        found, laid = [], []
        # First: what leaves a tray meanwhile goes to one of the others.
        for path in glob.glob(f"{self.dir}/spool/trays/*"):
            with open(path, "rb") as f:
                head = f.read(200).split(b"\n")
            if head[0].startswith(b"barid-1 "):
                laid.append(head[1][len("id: "):].decode())
        for place in ("new", "cur", "hold", "dead", "drop", "bad"):
            for d, _, names in os.walk(f"{self.dir}/spool/{place}"):
                # What a sendmail that was killed has begun is no message.
                found += [(place, n) for n in names if not n.startswith("tmp.")]
        # Of one that is in both, for whoever was killed between, the file counts.
        found += [("new", i) for i in laid if i not in [n for _, n in found]]
        return found

    def deferred(self, words="", timeout=30):
        """Waits for a delivery that is put off with WORDS in its log line; that line."""
        def look():
            return next((line for line in self.log().split("\n")
                         if "status=deferred" in line and words in line), None)
        return wait_for(f"a deferral with {words!r}", look, timeout)

    def empty(self, timeout=20):
        try:
            wait_for("an empty spool", lambda: not self.spooled(), timeout)
        except AssertionError as e:
            raise AssertionError(f"{e}: {self.spooled()[:20]}") from None

    # ---- clients ----------------------------------------------------------------

    def smtp(self, name="smtp", tls=False, login=None):
        if self.listen[name][1] == "implicit":
            c = smtplib.SMTP_SSL(self.host, self.port[name], "client.test", context=NO_VERIFY,
                                 timeout=30 * PATIENCE)
        else:
            c = smtplib.SMTP(self.host, self.port[name], "client.test", timeout=30 * PATIENCE)
            if tls or login:
                c.starttls(context=NO_VERIFY)
        if login:
            c.login(login, PASSWORD)
        return c

    def send(self, sender, rcpts, message, name="smtp", login=None, **kw):
        with self.smtp(name, login=login) as c:
            c.sendmail(sender, rcpts, message, **kw)

    def pop3(self, user, name="pop3s"):
        """A session that is logged in."""
        if self.listen[name][1] == "implicit":
            c = poplib.POP3_SSL(self.host, self.port[name], context=NO_VERIFY, timeout=30)
        else:
            c = poplib.POP3(self.host, self.port[name], timeout=30)
            c.stls(context=NO_VERIFY)
        c.user(user)
        c.pass_(PASSWORD)
        return c

    def uidls(self, user):
        c = self.pop3(user)
        found = [line.split()[1].decode() for line in c.uidl()[1]]
        c.quit()
        return found

    def ctl(self, *args, check=True, **kw):
        r = subprocess.run([program("baridctl"), "-c", self.conf, *args], capture_output=True,
                           text=True, timeout=60, **kw)
        if check:
            assert r.returncode == 0, (args, r)
        return r

    def sendmail(self, *args, text="", name="sendmail", check=True):
        r = subprocess.run([program(name), "-C", self.conf, *args],
                           input=text.encode() if isinstance(text, str) else text,
                           capture_output=True, timeout=60)
        if check:
            assert r.returncode == 0, (args, r)
        return r


class Hosts:
    """B, the barid of a test, and the servers AROUND it, which end after it."""
    b, around = None, ()

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.b.__exit__(*exc)
        for server in self.around:
            server.stop()
