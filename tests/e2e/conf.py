# SPDX-License-Identifier: GPL-3.0-or-later
"""The configuration as its writer meets it: what is told of a mistake, by a check, a start and a reload."""
import errno
import os
import pwd
import re
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, os.environ["BARID_SRC"] + "/tests/tools")
from baridtest import Barid, ROOT, Sink, USER, certificate, expire, free_port, program, smarthost, wait_for  # noqa: E402

MESSAGE = "Subject: x\r\n\r\nhello\r\n"
CONFIG = 78


def one_host_twice():
    """Two servers of an upstream may be one host on two ports; both get their share."""
    with Sink() as one, Sink() as two, smarthost(one.port, two.port, extra="queue { per-connection = 1 }\n") as b:
        def both():
            b.send("x@y.example", ["z@far.example"], MESSAGE)
            return one.messages() and two.messages()
        wait_for("mail at both ports", both)
        b.empty()
    with Sink() as sink, smarthost(free_port(["127.0.0.1"]), ("127.0.0.1", sink.port, 'tls = "off" backup = true')) as b:
        b.send("x@y.example", ["z@far.example"], MESSAGE)
        assert b"hello" in sink.messages(1)[0]["text"]


# ---- what is not there ------------------------------------------------------------

def barid(*args, **kw):
    return subprocess.run([program("barid"), *args], capture_output=True, text=True, timeout=30,
                          stdin=subprocess.DEVNULL, **kw)


class Mistakes:
    """Configurations with one mistake each, held against a check, a start and a reload.

    A mistake is options that are added to, or that replace, those of a
    configuration that is right, and what must be said of it: the line in
    which the mark ### stands, and a pattern for the rest.
    """

    def __init__(self, b):
        self.b = b
        self.dir = b.dir
        self.port = free_port(["127.0.0.1"])
        self.options = {
            "hostname": 'hostname = "mx.example.test"', "user": f'user = "{USER}"',
            "spool": f'spool = "{b.dir}/spool"', "mailboxes": f'mailboxes = "{b.dir}/mail"',
            "run": f'run = "{b.dir}/run"', "log": f'log {{ to = {{"file:{b.dir}/log"}} }}',
            "queue": "queue { runners = 1 }", "limits": "limits { message-size = 1MB }",
            "tls": f'tls {{ certificate = "{b.dir}/localhost.pem" key = "{b.dir}/localhost.key" }}',
            "auth": f'auth {{ backends = {{"file://{b.dir}/users"}} }}',
            "listen": self.listen("own", self.port),
        }

    @staticmethod
    def listen(name, port, address='"127.0.0.1"', tls="starttls"):
        return f'listen "{name}" {{ service = "smtp" address = {{{address}}} port = "{port}" tls = "{tls}" }}'

    def text(self, **mistake):
        """The text, and the number of its line with the mark (0: there is none)."""
        lines = "\n".join({**self.options, **mistake}.values()).split("\n")
        marked = [n for n, line in enumerate(lines, 1) if "###" in line]
        return "\n".join(lines).replace("###", "# here") + "\n", marked[0] if marked else 0

    def write(self, path, **mistake):
        text, line = self.text(**mistake)
        with open(path, "w") as f:
            f.write(text)
        return line

    def expected(self, path, line, pattern):
        place = f"{path}:{line}: " if line else f"{path}: "
        return re.escape(place) + pattern

    def told(self, output, path, line, pattern):
        complaints = [l for l in output.split("\n") if l]
        assert len(complaints) == 1, complaints
        assert re.fullmatch(self.expected(path, line, pattern), complaints[0]), (complaints[0], line, pattern)

    def check(self, pattern, **mistake):
        path = self.dir + "/mistake.conf"
        line = self.write(path, **mistake)
        r = barid("-t", "-c", path)
        assert r.returncode == CONFIG and r.stdout == "", (pattern, r)
        self.told(r.stderr, path, line, pattern)

    def start(self, pattern, **mistake):
        path = self.dir + "/mistake.conf"
        line = self.write(path, **mistake)
        for how in ("-f", "-d"):
            r = barid(how, "-c", path)
            assert r.returncode == CONFIG and r.stdout == "", (pattern, r)
            self.told(r.stderr, path, line, pattern)

    def reload(self, pattern, **mistake):
        """The running one says it in its log, and stays as it is."""
        before = len(self.b.log())
        line = self.write(self.b.conf, **mistake)
        self.b.reload()
        said = re.findall("error: reload refused, the old configuration stays: (.*)", self.b.log()[before:])
        self.told("\n".join(said), self.b.conf, line, pattern)
        self.greets()

    def greets(self, port=None):
        with socket.create_connection(("127.0.0.1", port or self.port), 60) as s:
            assert s.recv(100).startswith(b"220 ")


def names(b, port):
    """Mistakes about what is named, for all three; each is (pattern, options)."""
    d = b.dir
    other = tempfile.mkdtemp(dir=d)
    certificate(other, "other")
    with open(f"{d}/empty", "w"):
        pass

    def tls(cert, key, rest=""):
        return f'tls {{\n{cert}\n{key}\n{rest}\n}}'
    good_cert, good_key = f'certificate = "{d}/localhost.pem"', f'key = "{d}/localhost.key"'
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:1024", "-nodes", "-subj", "/CN=short", "-keyout", f"{d}/short.key",
                    "-out", f"{d}/short.pem"], check=True, capture_output=True)
    chain = r"expected a certificate chain in PEM form, of a key of 2048 bits \(RSA\) or 224 \(ECDSA\) or more"
    key = "expected the private key of the certificate, in PEM form and without a password"
    yield (f"tls\\.certificate: {d}/none: No such file or directory, {chain}",
           {"tls": tls(f'certificate = "{d}/none" ###', good_key)})
    yield (f"tls\\.certificate: {d}/empty: holds no certificate in PEM form, {chain}",
           {"tls": tls(f'certificate = "{d}/empty" ###', good_key)})
    yield (f"tls\\.certificate: {d}/short\\.pem: its key is too short, {chain}",
           {"tls": tls(f'certificate = "{d}/short.pem" ###', f'key = "{d}/short.key"')})
    yield (f"tls\\.certificate: {d}: Is a directory, {chain}", {"tls": tls(f'certificate = "{d}" ###', good_key)})
    yield (f"tls\\.key: {d}/none: No such file or directory, {key}", {"tls": tls(good_cert, f'key = "{d}/none" ###')})
    yield (f"tls\\.key: {other}/other\\.key: is not the key of the certificate in {d}/localhost\\.pem, {key}",
           {"tls": tls(good_cert, f'key = "{other}/other.key" ###')})
    yield (r'tls\.ciphers: .*"NONSENSE": no cipher match, expected a list as openssl-ciphers\(1\) describes',
           {"tls": tls(good_cert, good_key, 'ciphers = "NONSENSE" ###')})
    yield (f"tls\\.ca: {d}/none: No such file or directory, expected certificates in PEM form, .*",
           {"tls": tls(good_cert, good_key, f'ca = "{d}/none" ###')})
    yield (f"tls\\.name\\.a\\.test\\.key: {d}/none: No such file or directory, {key}",
           {"tls": tls(good_cert, good_key, f'name "a.test" {{ {good_cert}\nkey = "{d}/none" ###\n}}')})
    # Also where nobody is offered TLS yet.
    yield (f"tls\\.key: {other}/other\\.key: is not the key of the certificate in {d}/localhost\\.pem, {key}",
           {"tls": tls(good_cert, f'key = "{other}/other.key" ###'), "listen": Mistakes.listen("own", port, tls="off")})
    shown = "expected a certificate chain and its key in PEM form"
    for cert, k, why in ((f"{d}/none", f"{d}/localhost.key", f"{d}/none: No such file or directory"),
                         (f"{d}/localhost.pem", f"{d}/empty", ".*"),
                         (f"{d}/localhost.pem", f"{other}/other.key", ".*")):
        yield (f"upstream\\.u\\.server\\.h\\.example\\.certificate: {why}, {shown}",
               {"upstream": f'upstream "u" {{ server "h.example" {{\ncertificate = "{cert}" ###\nkey = "{k}"\n}} }}\n'
                            'route "*" { via = "u" }'})
    no_file = f"{d}/none: No such file or directory, expected a file of addresses"
    yield (f"rewrite\\.a@b\\.test\\.table: {no_file}", {"rewrite": f'rewrite "a@b.test" {{\ntable = "{d}/none" ### \n}}'})
    yield (f"recipient\\.\\*\\.table: {no_file}", {"recipient": f'recipient "*" {{\ntable = "{d}/none" ### \n}}'})
    yield (f"auth\\.backends: cannot open {d}/none: No such file or directory, expected a file of user:hash lines .*",
           {"auth": f'auth {{ backends = {{"file://{d}/users",\n"file://{d}/none" ###\n}} }}'})
    yield (f"auth\\.backends: {d} is no plain file, expected one of user:hash lines",
           {"auth": f'auth {{ backends = {{"file://{d}"}} }} ###'})
    yield (f"auth\\.backends: cannot run {d}/none: No such file or directory, expected a program",
           {"auth": f'auth {{ backends = {{"exec://{d}/none"}} }} ###'})
    yield (f"auth\\.backends: {d}/barid.conf is not executable, expected a program",
           {"auth": f'auth {{ backends = {{"exec://{d}/barid.conf"}} }} ###'})
    if ROOT:
        yield ('user: there is no account "nosuchuser", expected one of this host', {"user": 'user = "nosuchuser" ###'})
        yield ('user: "root" is root, expected an account without privileges', {"user": 'user = "root" ###'})
    yield (r'check\.spf\.explanation: "%\{x\}" is no text with macros, expected ASCII and such as .*',
           {"check": 'check "spf" {\nexplanation = "%{x}" ###\n}'})
    # A FIFO is none that somebody reads.
    if not os.path.exists(f"{d}/pipe"):
        os.mkfifo(f"{d}/pipe")
    for path, why in ((f"{d}/none/log", "No such file or directory"), (d, "Is a directory"),
                      (f"{d}/users/log", "Not a directory"), (f"{d}/pipe", "No such device or address"),
                      (f"{d}/{'x' * 200}", "File name too long")):
        yield (f"log\\.to: cannot open file:{path}: {why}, expected what can be written to, or a file that can be made in "
               "its directory", {"log": f'log {{ to = {{"file:{d}/log",\n"file:{path}" ###\n}} }}'})
    # Listeners.
    port = free_port(["127.0.0.1"])
    m = Mistakes.listen
    yield (r'listen\.x\.address: there is no interface "nosuch0", expected an address or one of .*\blo\b.*',
           {"x": m("x", port, '"127.0.0.1",\n"nosuch0" ###\n')})
    yield (r'listen\.x\.address: cannot listen on 192\.0\.2\.1:\d+: Cannot assign requested address, '
           r'expected an address of this host', {"x": m("x", port, '"127.0.0.1",\n"192.0.2.1" ###\n')})
    yield (r'listen\.x\.address: cannot listen on unix:/nonexistent/s: No such file or directory, '
           r'expected a path at which a socket can be made', {"x": m("x", port, '"unix:/nonexistent/s" ###\n')})
    yield (f'listen\\.x\\.address: cannot listen on unix:{d}/users: File exists, '
           'expected a path at which a socket can be made', {"x": m("x", port, f'"unix:{d}/users" ###\n')})
    yield (r'listen\.x\.address: listen "a" \(\S+:\d+\) has 127\.0\.0\.1:\d+ already, '
           'expected another address or port', {"a": m("a", port), "x": m("x", port, '"127.0.0.1" ###\n')})
    yield (r'listen\.x\.address: listen "a" \(\S+:\d+\) has 127\.0\.0\.1:\d+ by 0\.0\.0\.0:\d+ already, '
           'expected another address or port',
           {"a": m("a", f"{port}", '"0.0.0.0"'), "x": m("x", port, '"lo-ipv4" ###\n')})


def mistakes():
    """Said alike by a check, a start and a reload, with the file and line of the option."""
    with Barid(start=False) as b:
        m = Mistakes(b)
        assert m.write(b.conf) == 0
        r = barid("-t", "-c", b.conf)
        assert (r.returncode, r.stdout, r.stderr) == (0, "", ""), r
        for pattern, options in names(b, m.port):
            m.check(pattern, **options)
            m.start(pattern, **options)
        b.start()
        for pattern, options in names(b, m.port):
            m.check(pattern, **options)
            m.reload(pattern, **options)


def places():
    """Directories: what a check, a start and a reload each say."""
    with Barid(start=False) as b:
        m = Mistakes(b)
        d = b.dir
        # A check makes nothing.
        m.write(b.conf)
        assert barid("-t", "-c", b.conf).returncode == 0
        assert not [n for n in ("spool", "mail", "run") if os.path.exists(f"{d}/{n}")]
        one = "expected a directory, or one below which it can be made"
        for name in ("mailboxes", "run"):
            for path, why in ((f"{d}/none/x", "No such file or directory"), (f"{d}/users", "Not a directory"),
                              (f"{d}/users/x", "Not a directory")):
                for told in (m.check, m.start):
                    told(f"{name}: {path}: {why}, {one}", **{name: f'{name} = "{path}" ###'})
        for told in (m.check, m.start):
            told(f"spool: {d}/none/x: No such file or directory, expected a directory.*", spool=f'spool = "{d}/none/x" ###')
            told(f"spool: {d}/users: Not a directory, expected a directory.*", spool=f'spool = "{d}/users" ###')
        os.mkdir(f"{d}/open")
        os.chmod(f"{d}/open", 0o777)
        for told in (m.check, m.start):
            told(f"spool: {d}/open: can be written by others, expected a directory that nobody but .* can write.*",
                 spool=f'spool = "{d}/open" ###')
        m.write(b.conf)
        b.start()
        assert barid("-t", "-c", b.conf).stderr == ""
        only = "changes with a restart only, expected"
        for name, old in (("spool", "spool"), ("mailboxes", "mail"), ("run", "run")):
            m.reload(f'{name}: {only} "{d}/{old}" until then', **{name: f'{name} = "{d}/new" ###'})
        m.reload(f"queue\\.runners: {only} 1 until then", queue="queue {\nrunners = 3 ###\n}")
        # One that is gone has its default now: there is no line to name.
        m.reload(f"queue\\.runners \\(default\\): {only} 1 until then", queue="")
        if ROOT:
            m.reload(f'user: {only} "{USER}" until then', user='user = "daemon" ###')
        # All at once are all told.
        before = len(b.log())
        m.write(b.conf, spool='spool = "/x"', run='run = "/y"', auth='auth { backends = {"file:///nonexistent"} }')
        b.reload()
        wait_for("three lines", lambda: b.log()[before:].count("reload refused, the old configuration stays: ") == 3)
        m.greets()


def notes():
    """What a check cannot know it says as a note; what is wrong is wrong for everybody."""
    with Barid(start=False) as b:
        # The sockets of the test are handed to a start, not to a check.
        r = barid("-t", "-c", b.conf)
        assert r.returncode == 0 and r.stdout == "", r
        for name, s in b.sockets.items():
            assert re.search(rf'(?m)^note: {b.conf}:\d+: listen\.{name}\.address: "fd:{s.fileno()}" is a socket that the '
                             r'service manager hands over: only a start can tell$', r.stderr), r.stderr
        assert r.stderr.count("\n") == len(b.sockets), r.stderr
        # A service of PAM without a file of its own.
        with open(b.conf) as f:
            text = f.read()
        with open(b.dir + "/pam.conf", "w") as f:
            f.write(text.replace("backends = {", f'backends = {{"pam://imap?confdir={b.dir}", '))
        r = barid("-t", "-c", b.dir + "/pam.conf")
        said = f"there is no file {b.dir}/imap, expected one; without it PAM asks its service \"other\""
        assert r.returncode == 0 and said in r.stderr, r
        open(b.dir + "/imap", "w").close()
        assert "imap" not in barid("-t", "-c", b.dir + "/pam.conf").stderr
        # They are handed over, but one name is none of theirs.
        with open(b.conf) as f:
            text = f.read()
        number = b.sockets["smtp"].fileno()
        path = b.dir + "/mistake.conf"
        with open(path, "w") as f:
            f.write(text.replace(f'"fd:{number}"', '"fd:65000"'))
        fds = [s.fileno() for s in b.sockets.values()]
        line = text[:text.index(f'"fd:{number}"')].count("\n") + 1
        r = barid("-f", "-c", path, pass_fds=fds)
        assert r.returncode == CONFIG and r.stderr == (
            f'{path}:{line}: listen.smtp.address: no listening socket "65000" was handed over, expected one of: '
            "a name of LISTEN_FDNAMES, or a number\n"), r
        # A mistake of a reload leaves what was handed over where it is.
        b.start()
        with open(b.conf, "w") as f:
            f.write(text.replace(f'"fd:{number}"', '"fd:65000"'))
        b.reload()
        assert 'no listening socket "65000" was handed over' in b.log(), b.log()
        with open(b.conf, "w") as f:
            f.write(text)
        b.reload()
        b.send("x@y.example", ["alice@example.test"], MESSAGE)
        b.mail("alice", 1)
        r = barid("-t", "-c", b.conf)
        assert (r.returncode, r.stderr) == (0, ""), "it runs, so the sockets are there"
        # What has no effect here, but may be meant, is taken and said.
        with open(b.conf, "a") as f:
            f.write('\naccess { connect = {"127.0.0.0/8", "::1"} xclient = {"192.0.2.0/24"} }\n')
        line = text.count("\n") + 2
        doubt = f"{b.conf}:{line}: access.xclient: 192.0.2.0/24 may not connect at all, expected it in access.connect, too"
        r = barid("-t", "-c", b.conf)
        assert r.returncode == 0 and r.stderr == f"note: {doubt}\n", r
        b.reload()
        assert f"warning: configuration: {doubt}" in b.log(), b.log()
        assert 'access.xclient = {"192.0.2.0/24"}' in b.ctl("config").stdout
        # T-03: a group may be let in.
        for mode in (0o640, 0o644, 0o660):
            os.chmod(b.dir + "/localhost.key", mode)
            r = barid("-t", "-c", b.conf)
            said = "tls.key: " + b.dir + "/localhost.key: others can read it, or a group write it; expected mode 0600"
            assert r.returncode == 0 and (said in r.stderr) == (mode != 0o640), (oct(mode), r)
        b.reload()
        assert said in b.log(), b.log()
        # Who comes is shown a certificate that nobody believes.
        expire(b.dir, b.dir + "/localhost.pem", b.dir + "/localhost.key")
        said = f"tls.certificate: {b.dir}/localhost.pem: it was good until 2020-02-01T00:00:00Z, expected one that is now"
        assert said in barid("-t", "-c", b.conf).stderr
        b.reload()
        assert said in b.log(), b.log()
        # What root can read is no use to who reads it then.
        with open(b.conf, "a") as f:
            f.write(f'\naliases = {{"{b.dir}/aliases"}}\n')
        with open(b.dir + "/aliases", "w", opener=lambda path, flags: os.open(path, flags, 0o600)):
            pass
        said = f'aliases: {b.dir}/aliases: "{USER}" cannot read it, expected a file that it can'
        assert (said in barid("-t", "-c", b.conf).stderr) == ROOT
        os.chmod(b.dir + "/aliases", 0o644)
        assert said not in barid("-t", "-c", b.conf).stderr


def unprivileged():
    """Without root a check notes what only root sees, and tells the rest from it."""
    if not ROOT:
        return
    with Barid(start=False) as b:
        m = Mistakes(b)
        nobody = {"user": "nobody", "group": "nogroup", "extra_groups": []}
        if subprocess.run([program("barid"), "-V"], capture_output=True, **nobody).returncode:
            print("unprivileged: nobody cannot reach the programs here")
            return
        m.write(b.conf)
        os.chmod(b.dir + "/localhost.key", 0o600)
        os.mkdir(b.dir + "/spool", 0o700)
        r = barid("-t", "-c", b.conf, **nobody)
        said = sorted(re.sub(r"^note: \S+:\d+: ", "", line) for line in r.stderr.split("\n") if line)
        assert r.returncode == 0 and [s.split(": ")[0] for s in said] == [
            "auth.backends", "log.to", "mailboxes", "run", "spool", "tls.key"], r.stderr
        m.write(b.conf, user='user = "nosuchuser"', auth='auth { backends = {"file:///nonexistent"} }')
        r = barid("-t", "-c", b.conf, **nobody)
        assert r.returncode == CONFIG, r
        assert re.search(r'(?m)^note: \S+:2: user: there is no account "nosuchuser", expected one if root is to start barid$',
                         r.stderr), r.stderr
        assert re.search(r"(?m)^\S+:\d+: auth\.backends: cannot open /nonexistent: No such file", r.stderr), r.stderr


# ---- listeners that grow and shrink -------------------------------------------------

def is_shared(host, port):
    """Whether another user can listen there, too."""
    os.seteuid(pwd.getpwnam(USER).pw_uid)
    try:
        with socket.socket() as s:
            for name in (socket.SO_REUSEADDR, socket.SO_REUSEPORT):
                s.setsockopt(socket.SOL_SOCKET, name, 1)
            s.bind((host, port))
            s.listen()
            return True
    except OSError as e:
        assert e.errno == errno.EADDRINUSE, e
        return False
    finally:
        os.seteuid(0)


class Callers:
    """Connects again and again, and keeps what went wrong."""

    def __init__(self, port):
        self.port, self.errors, self.served, self.ended = port, [], 0, threading.Event()
        self.threads = [threading.Thread(target=self.call) for _ in range(3)]

    def call(self):
        while not self.ended.is_set():
            try:
                with socket.create_connection(("127.0.0.1", self.port), 20) as s:
                    greeting = s.recv(100)
                    s.sendall(b"QUIT\r\n")
                    while s.recv(100):
                        pass
                    if not greeting.startswith(b"220 "):
                        raise ValueError(greeting)
                    self.served += 1
            except (OSError, ValueError) as e:
                self.errors.append(repr(e))

    def __enter__(self):
        for t in self.threads:
            t.start()
        return self

    def __exit__(self, *exc):
        self.ended.set()
        for t in self.threads:
            t.join()


def wider_and_narrower():
    """All addresses in the place of one, and back: nobody is refused, and the port is never free."""
    with Barid(start=False) as b:
        m = Mistakes(b)
        limits = {"limits": "limits { connections-per-address = 1000 }", "log": f'log {{ to = {{"file:{b.dir}/log"}} }}'}

        def served(host):
            try:
                with socket.create_connection((host, m.port), 60) as s:
                    return s.recv(100).startswith(b"220 ")
            except ConnectionRefusedError:
                return False

        def reload(address, refused=False):
            m.write(b.conf, own=m.listen("own", m.port, address), listen="", **limits)
            before = b.log().count("reload refused")
            b.reload()
            assert (b.log().count("reload refused") > before) == refused, b.log()[-3000:]

        m.write(b.conf, **limits)
        b.start()
        assert served("127.0.0.1") and not served("127.0.0.2")
        with Callers(m.port) as callers:
            for _ in range(5):
                wait_for("a caller", lambda n=callers.served: callers.served > n + 5)
                reload('"*"')
                assert served("127.0.0.1") and served("127.0.0.2")
                # The two sockets of the port are not more by every reload.
                reload('"*"')
                # The one address stays open beside all: closing that loses nobody here.
                reload('"127.0.0.1"')
                assert served("127.0.0.1") and not served("127.0.0.2")
        assert not callers.errors, (callers.errors[:3], len(callers.errors), callers.served)

        # From all to one without the one: a handshake may fall into the moment, a refusal may not.
        b.stop()
        m.write(b.conf, own=m.listen("own", m.port, '"*"'), listen="", **limits)
        b.start()
        with Callers(m.port) as callers:
            wait_for("a caller", lambda: callers.served > 5)
            reload('"127.0.0.1"')
            wait_for("a caller", lambda n=callers.served: callers.served > n + 5)
        assert not [e for e in callers.errors if not e.startswith("ConnectionResetError")], callers.errors[:3]
        assert served("127.0.0.1") and not served("127.0.0.2")

        # A stranger in the way is named as one, and nothing is lost.
        with socket.socket() as stranger:
            stranger.bind(("127.0.0.2", m.port))
            stranger.listen()
            reload('"*"', refused=True)
            assert f"listen.own.address: cannot listen on 0.0.0.0:{m.port}: Address already in use, expected " in b.log()
            assert served("127.0.0.1")
        reload('"*"')

        # New acceptors know both sockets.
        with socket.create_connection(("127.0.0.1", m.port), 60) as s:
            assert s.recv(100).startswith(b"220 ")
            wait_for("the end of the others", lambda: len(b.sessions()) == 1)
            os.kill(b.sessions()[0], signal.SIGABRT)
            wait_for("new acceptors", lambda: "were started anew after a crashed" in b.log())
        wait_for("service", lambda: served("127.0.0.1") and served("127.0.0.2"))
        reload('"127.0.0.2"')
        assert served("127.0.0.2") and not served("127.0.0.1")
        reload('"*"')
        # Who is another user cannot slip in beside.
        if ROOT:
            for host in ("0.0.0.0", "127.0.0.1", "127.0.0.2", "127.0.0.3"):
                assert not is_shared(host, m.port), host


for test in (one_host_twice, mistakes, places, notes, unprivileged, wider_and_narrower):
    start = time.monotonic()
    test()
    print(f"{test.__name__}: {time.monotonic() - start:.1f} s", flush=True)
