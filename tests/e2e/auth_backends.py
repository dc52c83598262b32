# SPDX-License-Identifier: GPL-3.0-or-later
"""Backends of barid-auth: pairs, programs, servers of HTTP and accounts; up, wrong, slow, dead and hostile.

FEATURES A3, A4, A5, A6, A9, A12, A13, A15.
"""
import base64
import contextlib
import crypt
import ctypes
import hmac
import http.server
import json
import os
import re
import signal
import smtplib
import socket
import ssl
import struct
import subprocess
import sys
import tempfile
import threading

sys.path.insert(0, os.environ["BARID_SRC"] + "/tests/tools")
from authtest import Backends, b64, LATER, NO, Silent, YES, hmac_state, together  # noqa: E402
from baridtest import ROOT, Wire, certificate, halt, wait_for  # noqa: E402

SECRET, WRONG = "sesame-4711", "guess-0815"


def hardcoded():
    with Backends(f"hardcoded://alice:{SECRET},bob:a%2Cb%3A%40c") as b:
        b.expect(YES, "alice", SECRET)
        b.expect(YES, "Alice", SECRET)
        b.expect(YES, "alice@example.test", SECRET)
        b.expect(YES, "bob", "a,b:@c")
        for user, password in (("alice", WRONG), ("alice", SECRET + "x"), ("alice", SECRET[:-1]), ("bob", SECRET),
                               ("nobody", SECRET), ("alice@elsewhere.test", SECRET)):
            b.expect(NO, user, password)
        b.keeps(SECRET, WRONG, "a%2Cb")
        assert 'auth.backends = {"hardcoded://********"}' in b.ctl("config").stdout
        # barid-auth says who said what.
        assert "service=pop3, method=PLAIN, ip=127.0.0.1, user=alice: yes in" in b.log()


# ---- exec ---------------------------------------------------------------------------

SCRIPT = """#!/bin/sh
# What it is asked, then the facts.
tr '\\000' '|' >FOLDER/input.$$
echo "$# $AUTH_USER $AUTH_CLIENT $AUTH_SERVICE $AUTH_LISTENER [$AUTH_TLS] $HOME" >>FOLDER/facts
mv FOLDER/input.$$ FOLDER/input
cat FOLDER/input >>FOLDER/inputs
read -r action <FOLDER/action
case $action in
hang) sleep 1000 & echo $! >FOLDER/child; wait; exit 0 ;;
kill) kill -9 $$ ;;
noise) head -c 10000000 /dev/zero; exit 0 ;;
esac
exit "$action"
"""


class Exec:
    def __init__(self, folder):
        self.folder = folder
        os.chmod(folder, 0o777)
        self.path = folder + "/check"
        with open(self.path, "w") as f:
            f.write(SCRIPT.replace("FOLDER", folder))
        os.chmod(self.path, 0o755)
        self.url = "exec://" + self.path

    def does(self, action):
        with open(self.folder + "/action", "w") as f:
            f.write(f"{action}\n")

    def read(self, name):
        with open(f"{self.folder}/{name}") as f:
            return f.read()


def secrets(folder):
    """A secrets file of E-MailRelay, for who logs in; read anew, and what is wrong in it is said."""
    path = folder + "/emailrelay.auth"
    # The state of HMAC-MD5 after "tanstaaf", as eight numbers and in base64.
    state = subprocess.run(["doveadm", "pw", "-s", "CRAM-MD5", "-p", "tanstaaf"], capture_output=True, text=True,
                           check=True).stdout.strip()
    halves = bytes.fromhex(state.partition("}")[2])
    inner_outer = halves[16:] + halves[:16]

    def put(text):
        with open(path + ".tmp", "w", encoding="ascii") as f:
            f.write(text)
        os.rename(path + ".tmp", path)

    def cram(b, user, password, digest="MD5"):
        def answer(challenge=None):
            return challenge and f"{user} {hmac.new(password.encode(), challenge, digest).hexdigest()}"
        with smtplib.SMTP("127.0.0.1", b.port["submission"], timeout=60) as c:
            c.ehlo()
            try:
                return {235: YES}[c.auth("CRAM-" + digest, answer, initial_response_ok=False)[0]]
            except smtplib.SMTPAuthenticationError as e:
                return {535: NO, 454: LATER}[e.smtp_code]
    dotted = ".".join(str(n) for n in struct.unpack("<8I", inner_outer))
    put(f"# E-MailRelay\nserver plain alice a+20secret\nserver plain:b Ym9i dHdv\nserver md5 carol {dotted}\n"
        f"server md5 dave {base64.b64encode(inner_outer).decode()}\nserver none 192.168.0.0/24 ours\n"
        f"server sha1 henry {base64.b64encode(hmac_state('sha1', 'tanstaaf')).decode()}\n"
        f"server sha256 ida {base64.b64encode(hmac_state('sha256', 'tanstaaf')).decode()}\n"
        "client plain me other\nserver sha9 erin x\nserver plain alice again\n")
    with open(folder + "/users", "w", encoding="ascii") as f:
        f.write(f"frank:{state}\n")
    both = f"secrets://{path}", f"file://{folder}/users"
    mech = 'timeout = 20s cache = 0s mechanisms = {"PLAIN", "CRAM-MD5", "CRAM-SHA1", "CRAM-SHA256", "CRAM-SHA512"}'
    with Backends(*both, auth=mech, clear='"PLAIN", "CRAM-MD5", "CRAM-SHA1", "CRAM-SHA256", "CRAM-SHA512"') as b:
        for user, password in (("alice", "a secret"), ("bob", "two"), ("carol", "tanstaaf"), ("DAVE", "tanstaaf"),
                               ("frank", "tanstaaf")):
            b.expect(YES, user, password)
            assert cram(b, user, password) == YES, user
            b.expect(NO, user, WRONG)
            assert cram(b, user, WRONG) == NO, user
        for user, password in (("me", "other"), ("erin", "x"), ("alice", "again"), ("192.168.0.0/24", "ours")):
            b.expect(NO, user, password)
        # FEATURES A5, A6: with the other hashes who has the password as it is, or the state of that hash.
        for digest in ("SHA1", "SHA256", "SHA512"):
            for user, right in (("alice", "a secret"), ("carol", None), ("henry", "tanstaaf" if digest == "SHA1" else None),
                                ("ida", "tanstaaf" if digest == "SHA256" else None)):
                assert cram(b, user, right or "tanstaaf", digest) == (YES if right else NO), (digest, user)
                assert cram(b, user, WRONG, digest) == NO, (digest, user)
        for user in ("henry", "ida"):
            b.expect(YES, user, "tanstaaf")
            b.expect(NO, user, WRONG)
            assert cram(b, user, "tanstaaf") == NO
        assert "method=CRAM-SHA256, ip=127.0.0.1, user=ida: yes" in b.log()
        with Wire(b.port["pop3"]) as w:
            w.line()
            assert b"CRAM-SHA512" in w.cmd("CAPA") + b"".join(w.lines())
            challenge = base64.b64decode(w.cmd("AUTH CRAM-SHA512")[2:])
            proof = hmac.new(b"a secret", challenge, "SHA512").hexdigest()
            assert w.cmd(base64.b64encode(f"alice {proof}".encode()).decode()).startswith(b"+OK")
        # What baridctl makes is what Dovecot makes.
        b.ctl("passwd", "--cram-md5", "greta", input="tanstaaf\n")
        assert f"greta:{state}\n" in b.read(folder + "/users")
        assert re.search(r"(?m)^greta +- +cram-md5 ", b.ctl("passwd", "--list").stdout)
        b.expect(YES, "greta", "tanstaaf")
        assert cram(b, "greta", "tanstaaf") == YES and cram(b, "greta", WRONG) == NO
        app = b.ctl("passwd", "--cram-md5", "--app", "phone", "greta").stdout.split()[-1]
        assert cram(b, "greta", app) == YES, app
        for wrong in (("--plain",), ("--scram",), ("-d",), ("--revoke", "phone")):
            assert b.ctl("passwd", "--cram-md5", *wrong, "greta", check=False).returncode == 64, wrong
        log = b.log()
        assert f"{path}:10: this line has a type that is not known, expected plain, plain:b, md5, sha1, sha256," in log
        assert f"{path}:11: this line has a user that an earlier line has, expected each once" in log
        assert "tanstaaf" not in log and "a secret" not in log
        # Mail for them is taken, and for nobody else.
        with smtplib.SMTP("127.0.0.1", b.port["submission"], timeout=60) as c:
            c.login("bob", "two")
            c.mail("bob@example.test")
            assert c.rcpt("carol@example.test")[0] == 250 and c.rcpt("me@example.test")[0] == 550
        put("server plain alice another\n")
        b.expect(YES, "alice", "another")
        b.expect(NO, "alice", "a secret")
        b.expect(NO, "bob", "two")
        # Gone, or no file: nobody can say who is in it, and others go on.
        for spoil, mend in ((lambda: os.rename(path, path + ".gone"), lambda: os.rename(path + ".gone", path)),
                            (lambda: (os.rename(path, path + ".gone"), os.mkdir(path)),
                             lambda: (os.rmdir(path), os.rename(path + ".gone", path)))):
            spoil()
            b.expect(LATER, "alice", "another")
            b.expect(YES, "frank", "tanstaaf")
            assert cram(b, "alice", "another") == LATER and cram(b, "frank", "tanstaaf") == YES
            b.expect(LATER, "nobody", "another")
            mend()
            b.expect(YES, "alice", "another")
        assert f"secrets://{path}: No such file or directory" in b.log()


def trusted(folder):
    """FEATURES A2, A3, R9: "server none" says who need not log in, and the program that is asked for recipients hears of it."""
    path, told, script = folder + "/trust.auth", folder + "/told", folder + "/verifier"
    os.chmod(folder, 0o777)
    with open(script, "w", encoding="ascii") as f:
        f.write(f'#!/bin/sh\necho "$5 $6" >>{told}\nexit 0\n')
    os.chmod(script, 0o755)

    def put(text):
        with open(path + ".tmp", "w", encoding="ascii") as f:
            f.write(text)
        os.rename(path + ".tmp", path)

    def say(b, source, login=None):
        """The replies to MAIL, to a recipient of ours and to one elsewhere; and what the program was told."""
        with contextlib.suppress(FileNotFoundError):
            os.unlink(told)
        with Wire(b.port["submission"], source=source) as w:
            w.reply()
            w.smtp("EHLO client.test")
            if login:
                assert w.smtp("AUTH PLAIN " + b64("", *login)).startswith(b"235")
            said = [int(w.smtp(x)[:3]) for x in ("MAIL FROM:<bob@example.test>", "RCPT TO:<bob@example.test>",
                                                 "RCPT TO:<carol@far.example>")]
            w.smtp("QUIT")
        return said, b.read(told).split("\n")[:-1] if os.path.exists(told) else []
    put("server plain bob two\nserver none 127.0.0.* all\nserver none 127.0.0.9/32 box+20b\nserver none 127.0.0.0/24 again\n"
        "server none here x\n")
    extra = f'recipients {{ verify = "exec:{script}" }}\nlimits {{ connections-per-address = 1000 }}\n'
    with Backends(f"secrets://{path}", extra=extra) as b:
        assert say(b, "127.0.0.9") == ([250, 250, 250], ["none box+20b"])
        assert say(b, "127.0.0.8") == ([250, 250, 250], ["none all"])
        assert say(b, "127.0.1.8")[0] == [530, 503, 503]
        assert say(b, "127.0.1.8", ("bob", "two")) == ([250, 250, 250], ["PLAIN bob"])
        assert say(b, "127.0.0.9", ("bob", "two")) == ([250, 250, 250], ["PLAIN bob"])
        log = b.log()
        assert "unknown[127.0.0.9] needs no login, trusted=box+20b" in log
        assert f"{path}:4: this line has a range that an earlier line has" in log
        assert f"{path}:5: this line has a range that cannot be read, expected 192.0.2.1," in log
        # Read anew; and nobody is trusted by a file that is not there.
        put("server plain bob two\nserver none 127.0.1.0/24 other\n")
        wait_for("the change", lambda: say(b, "127.0.1.8") == ([250, 250, 250], ["none other"]))
        assert say(b, "127.0.0.9")[0] == [530, 503, 503]
        os.rename(path, path + ".gone")
        wait_for("nobody trusted", lambda: say(b, "127.0.1.8")[0] == [530, 503, 503])
        os.rename(path + ".gone", path)
        wait_for("the file", lambda: say(b, "127.0.1.8") == ([250, 250, 250], ["none other"]))


def program(folder):
    e = Exec(folder)
    with Backends(e.url) as b:
        e.does(0)
        b.expect(YES, "alice", SECRET)
        assert e.read("input") == f"alice|{SECRET}|", e.read("input")
        assert e.read("facts") == ("0 alice 127.0.0.1 submission submission [] \n"
                                   "0 alice 127.0.0.1 pop3 pop3 [] \n"), e.read("facts")
        # Nothing of a client is more than a value, to no shell.
        for user in ("$(id)", "a;b", "`id`", "--help"):
            assert b.smtp(user, SECRET) == YES
            assert e.read("input") == f"{user}|{SECRET}|"
        for status, want in ((1, NO), (2, NO), (77, NO), (75, LATER), (127, LATER)):
            e.does(status)
            b.expect(want, "alice", SECRET)
        e.does("kill")
        b.expect(LATER, "alice", SECRET)
        b.change(e.url, auth="timeout = 1s cache = 0s")
        e.does("hang")

        def hangs():
            """It may be stopped before it has a child."""
            b.expect(LATER, "alice", SECRET)
            return os.path.exists(folder + "/child") and e.read("child")
        # What it started ends with it.
        child = int(wait_for("its child", hangs))
        wait_for("the end of its child", lambda: not os.path.exists(f"/proc/{child}"))
        b.change(e.url, auth="timeout = 20s cache = 0s")
        e.does("noise")
        b.expect(YES, "alice", SECRET)
        os.chmod(e.path, 0o644)
        b.expect(LATER, "alice", SECRET)
        os.chmod(e.path, 0o755)
        os.unlink(folder + "/inputs")
        b.keeps(SECRET)


def cached(folder):
    """What was right a moment ago is so without asking; nothing else is."""
    e = Exec(folder)
    with Backends(e.url, auth="timeout = 20s cache = 1h") as b:
        def asked():
            before = len(e.read("inputs").split("alice|"))
            return lambda: len(e.read("inputs").split("alice|")) - before
        e.does(0)
        with open(folder + "/inputs", "w") as f:
            os.fchmod(f.fileno(), 0o666)
        count = asked()
        for _ in range(3):
            b.expect(YES, "alice", SECRET)
        # By SMTP and by POP3 it is not the same question; nor from elsewhere.
        assert count() == 2, e.read("inputs")
        assert b.smtp("alice", SECRET, source="127.0.0.2") == YES and count() == 3
        e.does(1)
        assert b.smtp("alice", SECRET) == YES
        assert b.smtp("alice", WRONG) == NO and b.smtp("alice", SECRET, source="127.0.0.3") == NO
        # A no is not remembered, and a reload forgets.
        e.does(0)
        assert b.smtp("alice", WRONG) == YES
        e.does(1)
        b.reload()
        wait_for("a barid-auth that has forgotten", lambda: b.smtp("alice", SECRET) == NO)


# ---- HTTP -----------------------------------------------------------------------------


class Web(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        kind = self.path.rpartition("/")[2]
        right = self.headers["Authorization"] == "Basic " + base64.b64encode(f"alice:{SECRET}".encode()).decode()
        code, body, length = 200 if right else 401, b"hello", None
        if kind.isdigit():
            code = int(kind)
        elif kind == "huge":
            body = b"x" * 1000000
        elif kind == "cut":
            length = 500
        elif kind == "garbage":
            self.wfile.write(b"\x00\xff" * 5000)
            self.close_connection = True
            return
        elif kind == "headers":
            self.wfile.write(b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 200000 + b"\r\n")
            self.close_connection = True
            return
        self.send_response(code)
        if 300 <= code < 400:
            self.send_header("Location", self.path.rpartition("/")[0] + "/check")
        self.send_header("Content-Length", str(length or len(body)))
        self.end_headers()
        self.wfile.write(body if code not in (204, 304) else b"")
        self.close_connection = True

    def log_message(self, *args):
        pass


class Web6(http.server.ThreadingHTTPServer):
    address_family = socket.AF_INET6


def web(folder, tls, kind=http.server.ThreadingHTTPServer, address="127.0.0.1"):
    server = kind((address, 0), Web)
    server.daemon_threads = True
    server.handle_error = lambda *args: None
    if tls:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*certificate(folder))
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


def http_servers(folder):
    plain, safe = web(folder, False), web(folder, True)
    http_url = f"http://127.0.0.1:{plain.server_port}/"
    url = f"https://localhost:{safe.server_port}/"
    with Backends(url + "check?key=4711-key") as b:
        # Nobody has signed that certificate.
        b.expect(LATER, "alice", SECRET)
        b.extra += f'tls {{ ca = "{folder}/localhost.pem" }}\ndns-override "localhost" {{ addresses = {{"127.0.0.1"}} }}\n'
        b.change(url + "check?key=4711-key")
        b.expect(YES, "alice", SECRET)
        b.expect(NO, "alice", WRONG)
        b.expect(NO, "ali:ce", SECRET)
        b.keeps(SECRET, WRONG, "4711-key")
        # The name is not the certificate's.
        b.change(url.replace("localhost", "127.0.0.2") + "check")
        b.expect(LATER, "alice", SECRET)
        for kind, want in ((204, YES), (299, YES), (401, NO), (403, NO), (302, LATER), (404, LATER), (500, LATER),
                           ("huge", LATER), ("cut", LATER), ("garbage", LATER), ("headers", LATER)):
            b.change(http_url + str(kind))
            got = b.smtp("alice", SECRET)
            assert got == want, (kind, got)
        if socket.has_ipv6:
            six = web(folder, False, Web6, "::1")
            b.change(f"http://[::1]:{six.server_port}/check")
            b.expect(YES, "alice", SECRET)
            b.expect(NO, "alice", WRONG)
            six.shutdown()
            six.server_close()
    plain.shutdown()
    plain.server_close()
    with Silent() as silent, Backends(http_url + "check", f"http://127.0.0.1:{silent.port}/",
                                      f"https://127.0.0.1:{silent.port}/", auth="timeout = 1s cache = 0s") as b:
        # Dead, and one that says nothing.
        b.expect(LATER, "alice", SECRET)
        assert f"http://127.0.0.1:{silent.port}/: " in b.log() and f"https://127.0.0.1:{silent.port}/: " in b.log()
    safe.shutdown()


# ---- accounts ---------------------------------------------------------------------------


def accounts(folder):
    """In a view of the file system in which other accounts are this host's."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(0x00020000) != 0 or \
            subprocess.run(["mount", "--make-rprivate", "/"], stderr=subprocess.DEVNULL).returncode != 0:
        print("no mount namespace: not tried")
        return
    day = 20000
    entries = (("alice", 4001, SECRET, "19000:0:99999:7:::"), ("client7", 4002, SECRET, "19000:0:99999:7:::"),
               ("carol", 4003, SECRET, "19000:0:99999:7:::"), ("toor", 0, SECRET, "19000:0:99999:7:::"),
               ("client-old", 4004, SECRET, f"19000:0:99999:7::{day}:"),
               ("client-must", 4005, SECRET, "0:0:99999:7:::"), ("client-late", 4006, SECRET, "10000:0:30:7:::"))
    with open("/etc/passwd") as f:
        passwd = f.read()
    with open("/etc/shadow") as f:
        shadow = f.read()
    salt = crypt.mksalt(crypt.METHOD_SHA512, rounds=1000)
    for name, uid, password, rest in entries:
        passwd += f"{name}:x:{uid}:{uid}::/nonexistent:/bin/sh\n"
        shadow += f"{name}:{crypt.crypt(password, salt)}:{rest}\n"
    passwd += "client-locked:x:4007:4007::/:/bin/sh\nclient-empty:x:4008:4008::/:/bin/sh\n"
    shadow += f"client-locked:!{crypt.crypt(SECRET, salt)}:19000:0:99999:7:::\nclient-empty::19000:0:99999:7:::\n"
    for name, text, mode in (("passwd", passwd, 0o644), ("shadow", shadow, 0o600)):
        with open(f"{folder}/{name}", "w") as f:
            os.fchmod(f.fileno(), mode)
            f.write(text)
        subprocess.run(["mount", "--bind", f"{folder}/{name}", f"/etc/{name}"], check=True)
    with Backends("users://alice,client*,t*") as b:
        for user in ("alice", "client7"):
            b.expect(YES, user, SECRET)
            b.expect(NO, user, WRONG)
        # Not meant, root by a pattern, expired, locked, without a password, nobody.
        for user in ("carol", "toor", "client-old", "client-must", "client-late", "client-locked", "client-empty",
                     "client-none", "nobody"):
            b.expect(NO, user, SECRET)
        b.change("users://toor")
        assert b.smtp("toor", SECRET) == YES
        assert b.smtp("alice", SECRET) == NO
        # The same accounts by pam_unix: its own reading of shadow(5), with the account check.
        os.makedirs(folder + "/pam")
        with open(folder + "/pam/barid", "w") as f:
            f.write("auth required pam_unix.so nodelay\naccount required pam_unix.so\n")
        b.change(f"pam://barid?confdir={folder}/pam")
        for user in ("alice", "carol"):
            b.expect(YES, user, SECRET)
            b.expect(NO, user, WRONG)
        for user in ("client-old", "client-must", "client-late", "client-locked", "client-empty", "client-none"):
            assert b.smtp(user, SECRET) == NO, user
        b.keeps(SECRET, WRONG)


# ---- several ------------------------------------------------------------------------------


def tools(b, gone):
    """baridctl auth-test says what each of them says."""
    r = b.ctl("auth-test", "alice", input="barid\n")
    assert r.stdout.startswith(f"hardcoded://********: no\n{gone}: ") and r.stdout.endswith(
        f"hardcoded://********: no\nfile://{b.dir}/users: yes\nalice may log in\n"), r.stdout
    assert "Connection refused" in r.stdout or "connect" in r.stdout, r.stdout
    r = b.ctl("auth-test", "bob", input="wrong\n", check=False)
    assert r.returncode == 75 and "not every backend can say" in r.stdout, r
    r = json.loads(b.ctl("--json", "auth-test", "bob", input="two\n").stdout)
    assert r["verdict"] == "yes" and r["user"] == "bob", r
    assert [x["answer"] for x in r["backends"]][2:] == ["yes", "no"], r
    b.keeps("wrong", "two,")


def order(folder):
    """The first yes counts; who cannot say hinders nobody whom another one knows."""
    dead = socket.socket()
    dead.bind(("127.0.0.1", 0))
    gone = f"http://127.0.0.1:{dead.getsockname()[1]}/"
    with Backends("hardcoded://alice:one", gone, "hardcoded://bob:two", "file://USERS") as b:
        for user, password, want in (("alice", "one", YES), ("bob", "two", YES), ("alice", "barid", YES),
                                     ("alice", "two", LATER), ("carol", "one", LATER)):
            b.expect(want, user, password)
        tools(b, gone)
        b.change("hardcoded://alice:one", "hardcoded://bob:two")
        assert b.smtp("carol", "one") == NO
    dead.close()


def one_hangs():
    """CONFORMANCE S-65: 1,000 logins while a backend hangs, which is asked first."""
    with Silent() as silent, Backends(f"http://127.0.0.1:{silent.port}/", "file://USERS",
                                      auth="timeout = 40s cache = 0s") as b:
        results = together([lambda: b.smtp("alice", "barid")] * 1000, threads=40)
        assert results.count(YES) == 1000, [r for r in results if r != YES][:5]
        b.change(*b.urls, auth="timeout = 3s cache = 0s")
        # Nobody is told no by halves.
        results = together([lambda: b.smtp("alice", WRONG), lambda: b.pop3("carol", "barid")])
        assert results == [LATER, LATER], results
        b.change(*b.urls, auth="timeout = 40s cache = 0s")
        assert b.pop3("bob", "barid") == YES


def below(pid):
    with open(f"/proc/{pid}/task/{pid}/children") as f:
        return sorted(int(p) for p in f.read().split())


def mailbox_stands():
    """Who is let in already is waited for in peace."""
    with Backends("hardcoded://alice:one", "file://USERS", auth="timeout = 40s cache = 1h") as b:
        assert b.pop3("alice", "one") == YES
        broker, *workers = below(b.helper())
        for pid in workers:
            halt(pid)
        before = b.log().count("user=alice: yes")
        t = threading.Thread(target=lambda: b.pop3("alice", "one"))
        t.start()
        wait_for("the yes", lambda: b.log().count("user=alice: yes") > before)
        # One that asks poll() again and again never sleeps.
        wait_for("the broker to sleep", lambda: all(b.read(f"/proc/{broker}/stat").rpartition(")")[2].split()[0] == "S"
                                                    for _ in range(20)), 5)
        assert t.is_alive()
        for pid in workers:
            os.kill(pid, signal.SIGCONT)
        t.join()


def parts_die(folder):
    """A worker that is killed costs its question; the broker, those that are under way; then all is as before."""
    e = Exec(folder)
    with Backends(e.url, "hardcoded://bob:two", auth="timeout = 40s cache = 0s") as b:
        def in_the_middle(victim):
            e.does("hang")
            with open(folder + "/child", "w") as f:
                os.fchmod(f.fileno(), 0o666)
            got = []
            t = threading.Thread(target=lambda: got.append(b.smtp("alice", SECRET)))
            t.start()
            wait_for("a question", lambda: e.read("child"))
            assert b.smtp("bob", "two") == YES
            os.kill(victim(), signal.SIGKILL)
            t.join()
            assert got == [LATER], got
            e.does(0)
        # Of the workers the one with a child is asking.
        in_the_middle(lambda: next(pid for pid in below(b.helper())[1:] if below(pid)))
        b.expect(YES, "alice", SECRET)
        auth = b.helper()
        in_the_middle(lambda: below(auth)[0])
        wait_for("a word about it", lambda: "the broker died of signal 9" in b.log())
        wait_for("another barid-auth", lambda: b.helper() not in (0, auth))
        b.expect(YES, "alice", SECRET)
        # What hangs does not hold a reload up.
        e.does("hang")
        t = threading.Thread(target=lambda: b.smtp("alice", SECRET))
        t.start()
        auth = b.helper()
        wait_for("a worker with a child", lambda: [pid for pid in below(auth)[1:] if below(pid)])
        b.reload()
        wait_for("another barid-auth", lambda: b.helper() not in (0, auth))
        t.join()
        assert b.smtp("bob", "two") == YES


def main():
    hardcoded()
    for test in (secrets, trusted, program, cached, http_servers, order, parts_die):
        with tempfile.TemporaryDirectory(prefix="barid-backends-") as folder:
            os.chmod(folder, 0o755)
            test(folder)
            print(test.__name__)
    one_hangs()
    mailbox_stands()
    if ROOT:
        with tempfile.TemporaryDirectory(prefix="barid-accounts-") as folder:
            os.chmod(folder, 0o755)
            accounts(folder)


main()
