# SPDX-License-Identifier: GPL-3.0-or-later
"""Mail that is fetched from mailboxes elsewhere: what comes of it, who is believed, and what a kill leaves.

FEATURES O10.
"""
import contextlib
import glob
import json
import os
import pwd
import re
import signal
import subprocess
import sys
import tempfile
import shutil

sys.path.insert(0, os.environ["BARID_SRC"] + "/tests/tools")
from baridtest import Barid, PASSWORD, ROOT, Script, certificate, free_port, need, same, wait_for  # noqa: E402


def section(name, port, more="", server="localhost", user="alice", to="bob", tls="pop3s"):
    return (f'collect "{name}" {{ server = "{server}" port = {port} user = "{user}" password = "{PASSWORD}" '
            f'to = "{to}" tls = "{tls}" every = 31d timeout = 1m {more} }}\n')


LOCAL = 'dns-override "localhost" { addresses = {"127.0.0.1"} }\n'


def text(n, more=""):
    return f"Received: from x by y; Fri, 20 Nov 2026 12:00:0{n % 10} +0000\r\n{more}Subject: number {n}\r\n\r\n" \
        f".one dot\r\n..two\r\nnumber {n}\r\n"


def collectors(b):
    return [p for p in b.processes() if "barid-collect" in b.read(f"/proc/{p}/cmdline").split("\0")[0]]


def set_conf(b, text_of):
    """With a barid-collect that knows of it, and whose first run is over."""
    before = collectors(b)
    b.write_conf(LOCAL + f'tls {{ ca = "{b.dir}/localhost.pem" }}\n' + text_of)
    b.reload()
    wait_for("another barid-collect", lambda: [p for p in collectors(b) if p not in before])
    wait_for("the end of the one before", lambda: not set(before) & set(collectors(b)))


def collect(b, *args, code=0):
    r = b.ctl("--json", "collect", *args, check=False)
    assert r.returncode == code, (r, b.log()[-3000:])
    return json.loads(r.stdout)


def one(b, code=0):
    found = collect(b, "isp", code=code)
    assert len(found) == 1 and found[0]["name"] == "isp", found
    return found[0]


def subjects(b, user, count):
    found = [re.search(rb"^Subject: (.*?)\r?$", m, re.M) for m in b.mail(user, count)]
    return sorted(m[1].decode() if m else "" for m in found)


def own(b):
    """By POP3S from our own server: fetched, deleted there, and no more the second time."""
    found = "Authentication-Results: mx.example.test; dmarc=pass\r\nAuthentication-Results: mx.isp.test; spf=none\r\n"
    for n in range(3):
        b.put("alice", f"1000{n}.x", text(n, "Return-Path: <carol@far.example>\r\n" + found).encode())
    set_conf(b, 'check "helo" { }\n' + section("isp", b.port["pop3s"]))
    got = one(b)
    wait_for("the mail", lambda: len(b.mailbox("bob")) == 3)
    assert got["error"] is None and got["left"] == 0, got
    assert not b.mailbox("alice") and one(b)["fetched"] == 0
    first = b.mail("bob", 3)[0]
    assert first.startswith(b"Return-Path: <carol@far.example>\r\n") or b"Return-Path: <carol@far.example>" in first
    assert re.search(rb"Received: from localhost \(\[127\.0\.0\.1\]\) \(collect isp\)\r?\n\t\(using TLSv1\.3 .*\)\r?\n"
                     rb"\tby mx\.example\.test \(barid\) with POP3 id [0-9A-F]{19}\r?\n\tfor <bob@example\.test>;", first)
    # T4: what others say in our name is taken out, what they say in theirs stays.
    assert b"dmarc=pass" not in first and b"mx.isp.test; spf=none" in first
    same(first.replace(b"\r\n", b"\n").split(b"\n\n", 1)[1], text(0).replace("\r\n", "\n").split("\n\n", 1)[1].encode())
    assert subjects(b, "bob", 3) == ["number 0", "number 1", "number 2"]
    plain = b.ctl("collect").stdout
    assert plain == "isp: 0 fetched (0 octets), 0 deleted, 0 left, 0 refused\n", plain
    assert b.ctl("collect", "nobody", check=False).returncode == 64


class Pop(Script):
    """A POP3 server of one mailbox, which says what it is told to."""

    serial = True

    def __init__(self, mails, capa=("UIDL", "USER", "SASL PLAIN"), tls=None, name="one"):
        self.mails = list(mails)
        self.capa, self.tls, self.name = capa, tls, name
        self.said, self.on, self.uidl = [], {}, lambda i: f"{self.name}-{i}"
        self.sizes = {}
        super().__init__()

    def put(self, c, line):
        c.sendall(line + b"\r\n" if isinstance(line, bytes) else line.encode() + b"\r\n")

    def serve(self, c):
        c.settimeout(60)
        self.put(c, "+OK here")
        f, self.gone = c.makefile("rb"), set()
        while line := f.readline():
            word, *rest = line.decode("latin-1").split() or [""]
            self.said.append(line.decode("latin-1").strip() or "?")
            if word in self.on:
                if self.on[word](c, rest):
                    return
                continue
            i = int(rest[0]) - 1 if rest and rest[0].isdigit() else 0
            there = [k for k in range(len(self.mails)) if k not in self.gone]
            if word == "CAPA":
                self.put(c, "\r\n".join(["+OK", *self.capa, "."]))
            elif word == "AUTH":
                self.put(c, "+ ")
                f.readline()
                self.put(c, "+OK")
            elif word == "LIST":
                self.put(c, "\r\n".join(["+OK", *(f"{k + 1} {self.sizes.get(k, len(self.mails[k][1]))}" for k in there), "."]))
            elif word == "UIDL" and "UIDL" not in self.capa:
                self.put(c, "-ERR no")
            elif word == "UIDL":
                self.put(c, "\r\n".join(["+OK", *(f"{k + 1} {self.mails[k][0]}" for k in there), "."]))
            elif word == "RETR":
                self.put(c, b"+OK\r\n" + self.mails[i][1].replace(b"\r\n.", b"\r\n..") + b".")
            elif word == "DELE":
                self.gone.add(i)
                self.put(c, "+OK")
            elif word == "QUIT":
                self.mails = [m for k, m in enumerate(self.mails) if k not in self.gone]
                self.put(c, "+OK")
                return
            else:
                self.put(c, "+OK" if word in ("USER", "PASS", "NOOP") else "-ERR what")

    def once(self, word, act):
        """The next time that it hears WORD it does ACT instead, and ends the connection."""
        def do(c, rest):
            del self.on[word]
            act(c, rest)
            return True
        self.on[word] = do

def mails(first, count, more=""):
    return [(f"u{n}", text(n, more).encode()) for n in range(first, first + count)]


def clear(b, user="bob"):
    b.empty()
    for path in b.mailbox(user):
        os.unlink(path)


def until(b, user, count):
    """Runs until COUNT messages are there; how many have come, and no more, is seen by another run."""
    wait_for(f"{count} messages", lambda: one_of(b) is not None and len(b.mailbox(user)) >= count)
    b.empty()
    return subjects(b, user, count)


def one_of(b):
    """Right behind a reload nobody may answer."""
    r = b.ctl("--json", "collect", "isp", check=False)
    return json.loads(r.stdout)[0] if r.stdout.startswith("[") else {"left": 1, "error": "?"}


def names(b):
    """A certificate of another name, of nobody we know; and one that is not looked at."""
    b.put("alice", "20000.x", text(1).encode())
    set_conf(b, section("isp", b.port["pop3s"], 'tls-name = "pop.example.net"'))
    assert "TLS: " in one(b, 75)["error"]
    set_conf(b, section("isp", b.port["pop3"], 'tls-name = "pop.example.net"', tls="stls"))
    assert "TLS: " in one(b, 75)["error"]
    b.write_conf(LOCAL + section("isp", b.port["pop3s"]))
    b.reload()
    wait_for("no trust", lambda: "TLS: " in (one_of(b)["error"] or ""))
    assert len(b.mailbox("alice")) == 1 and not b.mailbox("bob")
    set_conf(b, section("isp", b.port["pop3"], tls="stls"))
    assert until(b, "bob", 1) == ["number 1"]
    b.put("alice", "20001.x", text(2).encode())
    set_conf(b, section("isp", b.port["pop3s"], 'verify = false server = "127.0.0.1"', server="x"))
    assert until(b, "bob", 2) == ["number 1", "number 2"]
    set_conf(b, section("isp", b.port["pop3s"], to="nobody-here"))
    assert "there is no such recipient" in one(b, 75)["error"]
    set_conf(b, section("isp", b.port["pop3s"], user="mallory"))
    assert "the login is refused" in one(b, 75)["error"]
    clear(b)


def stripped(b):
    """Whoever takes STLS away hears no name and no password."""
    for capa in (("UIDL", "USER"), ("UIDL", "USER", "STLS")):
        with Pop(mails(0, 1), capa) as s:
            set_conf(b, section("isp", s.port, tls="stls"))
            got = one(b, 75)
            assert "STLS" in got["error"], got
            assert not [x for x in s.said if x.split()[0] in ("USER", "PASS", "AUTH", "RETR")], s.said
    with Pop(mails(0, 1), ("UIDL", "STLS")) as s:
        s.on["STLS"] = lambda c, rest: s.put(c, "+OK go\r\n+OK\r\n+OK\r\n+OK")
        set_conf(b, section("isp", s.port, tls="stls"))
        assert "TLS: " in one(b, 75)["error"]
        assert not [x for x in s.said if x.split()[0] in ("USER", "PASS", "RETR")], s.said


def kept(b):
    """What stays there comes once, also after a restart; and goes when its time has come."""
    with Pop(mails(0, 4)) as s:
        set_conf(b, section("isp", s.port, "keep = true", tls="off"))
        assert until(b, "bob", 4) == [f"number {n}" for n in range(4)]
        assert one(b) == {"name": "isp", "fetched": 0, "octets": 0, "deleted": 0, "left": 4, "refused": 0, "error": None}
        b.stop()
        b.start()
        assert one(b)["fetched"] == 0 and not [x for x in s.said if x.startswith("DELE")]
        s.mails += mails(4, 1)
        assert until(b, "bob", 5)[4] == "number 4"
        # Fetched long ago, as the file says.
        path = f"{b.dir}/spool/collect/isp/seen"
        old = b.read(path)
        assert len(old.splitlines()) == 5
        set_conf(b, section("isp", s.port, "keep = 3d", tls="off"))
        assert one(b)["left"] == 5
        lines = old.splitlines()
        with open(path, "w") as f:
            f.write("\n".join([re.sub(r" T \d+ ", " T 1000000000 ", lines[0]), *lines[1:], ""]))
        assert one(b)["left"] == 4 and len(s.mails) == 4
        assert len(b.read(path).splitlines()) == 4
    clear(b)


def cut(b):
    """The line breaks at each command; no UIDL; two with one: each comes once, and goes."""
    for capa in (("UIDL", "USER"), ("USER",)):
        for word in ("LIST", "RETR", "DELE", "QUIT"):
            with Pop(mails(0, 3), capa, name=word) as s:
                s.once(word, lambda c, rest: None)
                set_conf(b, section("isp", s.port, "messages = 2", user=word + str(len(capa)), tls="off"))
                assert until(b, "bob", 3) == [f"number {n}" for n in range(3)], word
                wait_for("an empty mailbox", lambda: one(b)["left"] == 0)
                b.empty()
                assert len(b.mailbox("bob")) == 3, (word, capa)
                clear(b)
    with Pop([("same", m[1]) for m in mails(0, 2)]) as s:
        set_conf(b, section("isp", s.port, user="same", tls="off"))
        assert until(b, "bob", 2) == ["number 0", "number 1"]
        assert one(b)["left"] == 0
    with Pop(mails(0, 1), ("USER",)) as s:
        set_conf(b, section("isp", s.port, "keep = true", tls="off"))
        assert "no UIDL" in one(b, 75)["error"]
    clear(b)


def hostile(b):
    """Servers that lie, and messages that are none."""
    with Pop(mails(0, 3)) as s:
        s.mails[1] = ("big", b"Subject: big\r\n\r\n" + b"x" * 70000 + b"\r\n")
        s.mails[0] = ("listed", b"Subject: y\r\n\r\n" + b"y" * 70000 + b"\r\n")
        s.sizes[1] = 10
        set_conf(b, section("isp", s.port, "message-size = 64KB", user="lies", tls="off"))
        assert until(b, "bob", 1) == ["number 2"]
        said = len(s.said)
        got = one(b)
        assert got["refused"] == 2 and got["left"] == 2, got
        assert not [x for x in s.said[said:] if x.startswith("RETR")], s.said[said:]
        assert "it is larger than the server says" in b.log() and "it is too large" in b.log()
    clear(b)
    circles = "".join("Received: from a by b; Fri, 20 Nov 2026 12:00:00 +0000\r\n" for _ in range(120))
    again = "Received: from p ([127.0.0.1]) (collect isp)\r\n\tby mx.example.test (barid) with POP3 id 1; x\r\n" * 3
    with Pop([("c", text(1, circles).encode()), ("a", text(2, again).encode()), ("n", b"no header\n.\nbut\0 text\r\n"),
              ("e", b""), ("l", b"Subject: long\r\n\r\n" + b"z" * 200000 + b"\r\n")]) as s:
        set_conf(b, section("isp", s.port, user="odd", tls="off"))
        until(b, "bob", 3)
        assert one(b)["refused"] == 2 and len(s.mails) == 2
        assert b.log().count("it goes in circles") >= 2
        assert [m for m in b.mail("bob", 3) if b"\n\nno header\n.\nbut text\n" in m.replace(b"\r", b"")]
    clear(b)
    for said in (b"x" * 5000 + b"\r\n", b"+OK\n", b"220 smtp\r\n", b"+OK\r\n1 1\r\n1 1\r\n.\r\n", b"+OK\r\n9 x\r\n.\r\n"):
        with Pop(mails(0, 1)) as s:
            s.on["LIST"] = lambda c, rest, said=said: c.sendall(said)
            set_conf(b, section("isp", s.port, "timeout = 1s", tls="off"))
            assert one(b, 75)["error"], said
    # It says nothing more, within a message.
    with Pop(mails(0, 1)) as s:
        s.on["RETR"] = lambda c, rest: c.sendall(b"+OK\r\nSubject: x\r\n")
        set_conf(b, section("isp", s.port, "timeout = 1s", tls="off"))
        assert one(b, 75)["error"] == "it took too long" and not b.mailbox("bob")


def envelopes(b):
    """By a header field, only for those that there are; reports go to nobody."""
    more = "X-Original-To: {}\r\nX-Original-To: bob@example.test\r\n"
    who = ["alice@example.test", "<alice@example.test>", "nobody@example.test", "alice@far.example", "broken@@"]
    with Pop([(f"h{n}", text(n, more.format(a)).encode()) for n, a in enumerate(who)]) as s:
        set_conf(b, section("isp", s.port, 'by-header = "x-original-to"', user="multi", tls="off"))
        until(b, "bob", 3)
        assert subjects(b, "alice", 2) == ["number 0", "number 1"]
        assert subjects(b, "bob", 3) == ["number 2", "number 3", "number 4"]
    clear(b)
    clear(b, "alice")
    with Pop([("r", text(7, "Return-Path: <victim@far.example>\r\n").encode())]) as s:
        set_conf(b, 'recipient "gone@example.test" { via = "error:550 5.7.1 not here" }\n'
                 'recipient "way@example.test" { forward = {"gone@example.test"} }\n' +
                 section("isp", s.port, to="way@example.test", user="dead", tls="off"))
        one(b)
        wait_for("what is dead", lambda: [p for p in b.spooled() if p[0] == "dead"])
        assert not [p for p in b.spooled() if p[0] != "dead"] and "victim" in b.log()
    for path in glob.glob(b.dir + "/spool/dead/*"):
        os.unlink(path)


def kills(b):
    """A worker, and then all of it, is killed at each step: each message comes once."""
    for word in ("RETR", "DELE", "QUIT"):
        for whole in (False, True):
            with Pop(mails(0, 4), name=word) as s:
                seen = []

                def strike(c, rest, seen=seen, whole=whole):
                    seen.append(rest)
                    # Two of them where a reload is still under way.
                    main = [p for p in collectors(b) if parent(b, p) == b.process.pid]
                    for p in collectors(b):
                        if main and (whole or p not in main):
                            with contextlib.suppress(ProcessLookupError):
                                os.kill(p, signal.SIGKILL)

                # The second of them, if there is more than one.
                if word == "QUIT":
                    s.once(word, strike)
                else:
                    hit = s.on
                    def second(c, rest, word=word, s=s, strike=strike):
                        if rest == ["2"]:
                            del s.on[word]
                            strike(c, rest)
                            return True
                        return plain(s, c, word, rest)
                    hit[word] = second
                set_conf(b, section("isp", s.port, user=f"k{word}{whole}", tls="off"))
                wait_for("the blow", lambda: seen)
                wait_for("all that is there", lambda: empties(b))
                b.empty()
                assert subjects(b, "bob", 4) == [f"number {n}" for n in range(4)], word
                assert len(b.mailbox("bob")) == 4, (word, whole)
                assert not glob.glob(b.dir + "/spool/collect/isp/*.*"), word
            clear(b)


def plain(s, c, word, rest):
    i = int(rest[0]) - 1
    if word == "RETR":
        s.put(c, b"+OK\r\n" + s.mails[i][1].replace(b"\r\n.", b"\r\n..") + b".")
    else:
        s.gone.add(i)
        s.put(c, "+OK")


def parent(b, pid):
    return int((b.read(f"/proc/{pid}/stat").rpartition(")")[2].split() or [0, 0])[1])


def empties(b):
    found = one_of(b)
    return found["left"] == 0 and not found["error"]


class Dovecot:
    """dovecot-pop3d with a mailbox of its own."""

    def __init__(self, count, mechanisms="plain cram-md5"):
        need("dovecot")
        self.dir = d = tempfile.mkdtemp(prefix="barid-dovecot-")
        os.chmod(d, 0o755)
        self.cert, key = certificate(d)
        user = "nobody" if ROOT else pwd.getpwuid(os.geteuid()).pw_name
        who = pwd.getpwnam(user)
        self.port, self.ports = free_port(["127.0.0.1"]), free_port(["127.0.0.1"])
        for sub in ("mail", "mail/new", "mail/cur", "mail/tmp"):
            os.makedirs(f"{d}/{sub}")
            os.chown(f"{d}/{sub}", who.pw_uid, who.pw_gid)
        for n in range(count):
            with open(f"{d}/mail/new/{n}.x", "w", encoding="ascii") as f:
                f.write(text(n))
            os.chown(f"{d}/mail/new/{n}.x", who.pw_uid, who.pw_gid)
        with open(f"{d}/passwd", "w", encoding="utf-8") as f:
            f.write(f"dave:{{PLAIN}}{PASSWORD}\n")
        with open(f"{d}/dovecot.conf", "w", encoding="utf-8") as f:
            f.write(f"""base_dir = {d}/run
state_dir = {d}/state
log_path = {d}/log
protocols = pop3
listen = 127.0.0.1
ssl = required
ssl_cert = <{self.cert}
ssl_key = <{key}
auth_mechanisms = {mechanisms}
auth_failure_delay = 0
mail_location = maildir:{d}/mail
first_valid_uid = 1
last_valid_uid = 0
service anvil {{
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
service pop3-login {{
  chroot =
  inet_listener pop3 {{
    port = {self.port}
  }}
  inet_listener pop3s {{
    port = {self.ports}
  }}
}}
passdb {{
  driver = passwd-file
  args = scheme=PLAIN {d}/passwd
}}
userdb {{
  driver = static
  args = uid={who.pw_uid} gid={who.pw_gid} home={d}
}}
default_login_user = {user}
default_internal_user = {user}
""")
        os.chmod(f"{d}/passwd", 0o644)
        self.process = subprocess.Popen(["dovecot", "-F", "-c", f"{d}/dovecot.conf"], stdin=subprocess.DEVNULL)
        wait_for("dovecot", lambda: os.path.exists(f"{d}/run/master.pid") or self.process.poll() is not None)

    def left(self):
        return len(os.listdir(self.dir + "/mail/new")) + len(os.listdir(self.dir + "/mail/cur"))

    def __enter__(self):
        return self

    def __exit__(self, kind, *exc):
        self.process.terminate()
        self.process.wait()
        if kind and os.path.exists(self.dir + "/log"):
            with open(self.dir + "/log", encoding="utf-8") as f:
                print("---- dovecot\n" + f.read()[-3000:])
        shutil.rmtree(self.dir, ignore_errors=True)


def dovecot(b):
    """A server that we did not write, in each way to log in."""
    for tls, auth in (("pop3s", "PLAIN"), ("stls", "CRAM-MD5")):
        with Dovecot(20) as d:
            b.write_conf(LOCAL + f'tls {{ ca = "{d.cert}" }}\n' +
                         section("isp", d.ports if tls == "pop3s" else d.port, f"auth = {{{auth}}}", user="dave", tls=tls))
            b.reload()
            wait_for("an empty mailbox", lambda: empties(b) and d.left() == 0)
            b.empty()
            assert subjects(b, "bob", 20) == sorted(f"number {n}" for n in range(20)) and len(b.mailbox("bob")) == 20
        clear(b)


def secrets(b):
    """A password file; no other process has the password, and no log."""
    path = b.dir + "/isp.password"
    with open(path, "w", encoding="ascii") as f:
        f.write("hushhush\n")
    os.chmod(path, 0o600)
    heard = []
    with Pop(mails(0, 1), ("USER",)) as s:
        s.on["PASS"] = lambda c, rest: heard.append(rest) or s.put(c, "+OK")
        set_conf(b, section("isp", s.port, tls="off").replace(f'password = "{PASSWORD}"', f'password-file = "{path}"'))
        assert until(b, "bob", 1)
        assert heard and all(h == ["hushhush"] for h in heard) and "hushhush" not in b.log()
        os.unlink(path)
        set_conf(b, section("isp", s.port, tls="off").replace(f'password = "{PASSWORD}"', f'password-file = "{path}"'))
        assert "there is no password" in one(b, 75)["error"]
    clear(b)


def main():
    with Barid() as b:
        for part in (own, names, stripped, kept, cut, hostile, envelopes, kills, dovecot, secrets):
            clear(b)
            part(b)
        assert b.ctl("collect", "x", "y", check=False).returncode == 64
        b.write_conf("")
        b.reload()
        wait_for("no barid-collect", lambda: not collectors(b))
        assert "there is no section collect" in b.ctl("collect", check=False).stderr


if __name__ == "__main__":
    main()
