# SPDX-License-Identifier: GPL-3.0-or-later
"""sendmail, mailq and newaliases, called as cron, PHP, git and mutt call them, and as nobody should."""
import contextlib
import ctypes
import json
import os
import pwd
import re
import shutil
import socket
import signal
import subprocess
import sys
import time

sys.path.insert(0, os.environ["BARID_SRC"] + "/tests/tools")
from baridtest import Barid, Peer, PREFIX, ROOT, need, program, run, same, wait_for  # noqa: E402

ME = pwd.getpwuid(os.geteuid()).pw_name
USAGE, DATAERR, TEMPFAIL, NOPERM, CONFIG = 64, 65, 75, 77, 78


class Mail:
    """One message that sendmail brought into a mailbox."""

    def __init__(self, data):
        self.data = data
        head, _, self.body = data.partition(b"\n\n")
        self.head = head.decode() + "\n"
        assert b"\r" not in head and "\n\n" not in self.head

    def all(self, name):
        return [re.sub(r"\n(?=[ \t])", "", v).strip() for v in
                re.findall(rf"(?im)^{name}[ \t]*:((?:.*\n[ \t])*.*)$", self.head)]

    def __getitem__(self, name):
        found = self.all(name)
        assert len(found) == 1, (name, found, self.head)
        return found[0]


class Caller:
    def __init__(self, b):
        self.b = b
        self.dir = b.dir + "/caller"
        os.mkdir(self.dir)

    def arrived(self, user="bob"):
        """The one message that came, which is taken away."""
        data = self.b.mail(user, 1)
        assert len(data) == 1, data
        os.unlink(self.b.mailbox(user)[0])
        return Mail(data[0])

    def __call__(self, *args, text="Subject: x\n\nhello\n", user="bob", **kw):
        """Sends, and returns what arrives at USER's."""
        self.b.sendmail(*args, text=text, **kw)
        return self.arrived(user)

    def refused(self, code, *args, text="Subject: x\n\nhello\n", name="sendmail"):
        r = self.b.sendmail(*args, text=text, name=name, check=False)
        want = code if isinstance(code, tuple) else (code,)
        assert r.returncode in want and r.stderr, (args[:4], r)
        assert os.listdir(self.b.dir + "/spool/drop") == [], args[:4]

    def command(self):
        """A path that needs no arguments, for those who want one."""
        path = self.dir + "/sendmail"
        with open(path, "w") as f:
            os.fchmod(f.fileno(), 0o755)
            f.write(f"#!/bin/sh\nexec {program('sendmail')} -C {self.b.conf} \"$@\"\n")
        return path


# ---- callers ------------------------------------------------------------------------


def cron(c):
    text = f"From: root (Cron Daemon)\nTo: {ME}\nSubject: Cron <{ME}@host> make report\nMIME-Version: 1.0\n" \
        "Content-Type: text/plain; charset=UTF-8\nContent-Transfer-Encoding: 8bit\nX-Cron-Env: <SHELL=/bin/sh>\n" \
        f"X-Cron-Env: <LOGNAME={ME}>\n\n.\nfertig: \u00e4\u00f6\u00fc\n.\nend\n"
    m = c("-FCronDaemon", "-i", "-B8BITMIME", "-oem", ME, text=text, user=ME)
    assert m.data.endswith(text.encode())
    assert m["Return-Path"] == f"<{ME}@example.test>" and m["From"] == "root (Cron Daemon)"
    assert len(m.all("X-Cron-Env")) == 2 and m["Date"] and m["Message-ID"]
    # It can be followed from the message to the log, its own id and one that was added.
    for given in (None, f"<report@{ME}.example>"):
        m = c("-i", ME, text=f"Message-ID: {given}\n\nx\n" if given else "Subject: x\n\n", user=ME)
        assert m["Message-ID"] == (given or m["Message-ID"])
        queue_id = re.search(r"id ([0-9A-F]{19});", m["Received"])[1]
        assert re.search(rf"barid/cleanup\[\d+\]: {queue_id}: message-id={re.escape(m['Message-ID'])}\n", c.b.log()), m.head
    # Without a From of its own the name of -F is used.
    m = c("-FCronDaemon", "-i", ME, text="Subject: x\n\n", user=ME)
    assert m["From"] == f"CronDaemon <{ME}@example.test>"


def php(c):
    def mail(*args, code="true", path="-t -i"):
        call = ", ".join(json.dumps(a) for a in args)
        out = run("php", "-n", "-d", f"sendmail_path={c.command()} {path}", "-r", f"var_dump(mail({call}));")
        assert out.strip() == f"bool({code})".encode(), out

    body = "one\r\ntwo\n.\r\n..three\n\nfour"
    mail("bob@example.test", "from PHP", body, "From: web@example.test\r\nCc: alice@example.test\r\nX-A: b",
         "-fbounce@example.test")
    m = c.arrived()
    assert c.arrived("alice").data == m.data.replace(b"Delivered-To: bob", b"Delivered-To: alice")
    assert m["Return-Path"] == "<bounce@example.test>" and m["From"] == "web@example.test"
    assert m["Subject"] == "from PHP" and m["X-A"] == "b" and m["To"] == "bob@example.test"
    same(m.body.rstrip(b"\n"), body.replace("\r\n", "\n").encode(), "the body of PHP")
    # Line ends all CRLF, as PHP 8.0-8.2 send them to a sendmail.
    m = c("-t", "-i", text="To: bob@example.test\r\nSubject: crlf\r\nX-PHP-Originating-Script: 33:a.php\r\n"
          "\r\none\r\n.\r\ntwo\r\n")
    assert m.body == b"one\n.\ntwo\n" and m["Subject"] == "crlf"
    # What an attacker writes into the fifth argument is an address at most.
    trap = c.dir + "/trap.php"
    for extra in (f"-fx -OQueueDirectory={c.dir} -X{trap}", f"-OQueueDirectory={c.dir} -X{trap}",
                  f"-X{trap}", f"-C{c.dir}/evil.conf -X{trap}", "-be"):
        out = run("php", "-n", "-d", f"sendmail_path={c.command()} -t -i", "-r",
                  f"mail('bob@example.test', 's', '<?php evil(); ?>', '', {json.dumps(extra)});")
        assert not os.path.exists(trap), out
        assert set(os.listdir(c.dir)) <= {"sendmail", "repo", "home"}, os.listdir(c.dir)
    c.b.empty()
    for path in c.b.mailbox("bob"):
        os.unlink(path)


def git(c):
    home = c.dir + "/home"
    repo = c.dir + "/repo"
    os.makedirs(repo)
    os.makedirs(home)

    def g(*args, data=b""):
        return run("git", "-C", repo, "-c", "user.name=Alice \u00c4", "-c", "user.email=alice@example.test", *args,
                   data=data, folder=home, GIT_CONFIG_NOSYSTEM="1")

    g("init", "-q")
    for n in ("one", "two"):
        with open(repo + "/file", "a") as f:
            f.write(f"{n}\n.\n.dots\n")
        g("add", "file")
        g("commit", "-q", "-m", f"Change {n}", "-m", "From here on.\n\n.\n")
    g("send-email", "--quiet", f"--smtp-server={c.command()}", "--confirm=never", "--to=bob@example.test",
      "--cc=alice@example.test", "--suppress-cc=all", "--envelope-sender=bounces@example.test", "-2")
    got = [Mail(t) for t in c.b.mail("bob", 2)]
    assert [m["Subject"] for m in got] == ["[PATCH 1/2] Change one", "[PATCH 2/2] Change two"]
    for m in got:
        assert m["Return-Path"] == "<bounces@example.test>" and m["To"] == "bob@example.test"
        assert b"\n.\n" in m.body and b"\n+.dots\n" in m.body
    # Both halves of what git sends are a patch that applies.
    g("checkout", "-q", "--orphan", "again")
    g("rm", "-q", "-rf", ".")
    for m in got:
        g("am", "-q", data=m.data)
    with open(repo + "/file") as f:
        assert f.read() == "one\n.\n.dots\ntwo\n.\n.dots\n"
    for user in ("bob", "alice"):
        c.b.mail(user, 2)
        for path in c.b.mailbox(user):
            os.unlink(path)
    # As git did before it knew of a sender: only recipients.
    assert c("-i", "bob@example.test", text="From: Alice <alice@example.test>\nSubject: x\n\n.\n").body == b".\n"


def mutt(c):
    m = c("-oem", "-oi", "-f", "alice@example.test", "-B8BITMIME", "-N", "failure,delay", "-R", "hdrs", "--",
          "bob@example.test", text="From: alice@example.test\nTo: bob@example.test\nSubject: m\n\n.\nb\n")
    assert m["Return-Path"] == "<alice@example.test>" and m.body == b".\nb\n"
    for args in (("-t",), ("-oi", "-t"), ("-t", "-oi"), ("-it",), ("-ti",), ("-i", "-t", "-f", "alice")):
        assert c(*args, text="To: bob@example.test\n\nx\n").body == b"x\n"


# ---- options ---------------------------------------------------------------------------

FLAGS = [
    ["-v"], ["-i"], ["-oi"], ["-oem"], ["-oee"], ["-oep"], ["-oeq"], ["-oew"], ["-o", "em"], ["-odb"], ["-odi"],
    ["-odq"], ["-odf"], ["-odd"], ["-N", "never"], ["-Nfailure,delay"], ["-N", "SUCCESS"], ["-R", "hdrs"],
    ["-Rfull"], ["-V", "id-1"], ["-Vid-2"], ["-O", "DeliveryMode=b"], ["-OIgnoreDots"], ["-L", "tag"], ["-Ltag"],
    ["-h", "10"], ["-h10"], ["-p", "ESMTP:host"], ["-n"], ["-m"], ["-U"], ["-G"], ["-Ac"], ["-Am"], ["-d0.1"],
    ["-d"], ["-E"], ["-x"], ["-bm"], ["-b", "m"], ["-B7BIT"], ["-B", "8bitmime"], ["-o7"], ["-oA/etc/aliases"],
    ["-F", "Full Name"], ["-FFull Name"], ["-om"], ["-oT3d"], ["-em"], ["-mi"], ["-im"], ["-vi"],
]


def flags(c):
    for args in FLAGS:
        m = c(*args, "bob@example.test", text="Subject: x\n\nbody\n")
        assert m.body == b"body\n" and m["Delivered-To"] == "bob@example.test", args
    # One of them asked for a report.
    assert c.arrived(ME)["Subject"].startswith("Delivered")
    # Those that name a file make none.
    for args in (["-X", c.dir + "/made"], ["-D", c.dir + "/made"], ["-X" + c.dir + "/made"],
                 ["-O", f"QueueDirectory={c.dir}"], ["-oQ" + c.dir], [f"-oQ{c.dir}"], ["-oD" + c.dir + "/made"]):
        assert c(*args, "bob@example.test").body == b"hello\n"
        assert not os.path.exists(c.dir + "/made") and set(os.listdir(c.dir)) <= {"sendmail", "home", "repo"}, args
    # Options end at -- and at the first recipient.
    assert c("--", "bob@example.test").body == b"hello\n"
    c.refused((USAGE, DATAERR), "bob@example.test", "-t")


def exit_codes(c):
    for args in (["-Z", "bob"], ["--bogus", "bob"], ["-N", "sometimes", "bob"], ["-R", "some", "bob"],
                 ["-B", "BINARY", "bob"], ["-bz"], ["-be"], ["-f"], ["-F"], ["-B"], ["-O"], [], ["-i"], ["--"],
                 ["-V", "x" * 101, "bob"]):
        c.refused(USAGE, *args)
    c.refused((USAGE, DATAERR), "-t", text="Subject: nobody\n\n")
    for rcpt in ("bob@@x", "@", "bob@", "a b@c@d", "bob@example.test\nX", "b\x01@example.test", "<bob@example.test",
                 "bob@-", "x" * 70000 + "@example.test", "-bs@x", "-oQ/tmp"):
        c.refused(DATAERR, "--", rcpt)
    c.refused(DATAERR, "-t", text="To: bob@@example.test\n\n")
    for sender in ("a b", "x -OQueueDirectory=/tmp -X/tmp/x y", "-oQ/tmp", "a@b@c", "x\nBcc: y@example.test", "a\x01"):
        c.refused(DATAERR, "-f", sender, "bob@example.test")
    c.refused(DATAERR, "bob@example.test", text="Subject: x\n\n" + "0123456789abcde\n" * (7 << 20 >> 4))
    c.refused(DATAERR, "bob@example.test", text="X: " + "y" * (1 << 20) + "\n\n")
    r = c.b.sendmail("bob@example.test", check=False)
    assert r.returncode == 0
    c.arrived()
    with open(c.dir + "/broken.conf", "w") as f:
        f.write('hostname = "a.example"\nspol = "/nowhere"\n')
    for conf in ("/nonexistent/barid.conf", c.dir + "/broken.conf"):
        # Who has a message is to keep it; who only asks hears what is wrong.
        for args, code in ((["bob"], TEMPFAIL), (["-t"], TEMPFAIL), (["-bv", "bob"], CONFIG), (["-bp"], CONFIG)):
            r = subprocess.run([program("sendmail"), "-C", conf, *args], input=b"To: bob\n\n", capture_output=True)
            assert r.returncode == code and (b"barid.conf" in r.stderr or b"broken.conf:2: " in r.stderr), r
    os.unlink(c.dir + "/broken.conf")
    # The spool cannot be used now.
    with open(c.b.conf) as f:
        text = f.read().replace(f'"{c.b.dir}/spool"', f'"{c.b.dir}/no-spool"')
    with open(c.dir + "/other.conf", "w") as f:
        f.write(text)
    r = subprocess.run([program("sendmail"), "-C", c.dir + "/other.conf", "bob"], input=b"\n\n", capture_output=True)
    assert r.returncode == TEMPFAIL, r
    os.unlink(c.dir + "/other.conf")


def senders(c):
    for args, want in ((["-f", "alice@example.test"], "<alice@example.test>"), (["-falice@other.example"],
                       "<alice@other.example>"), (["-f", "alice"], "<alice@example.test>"), (["-r", "a@b.example"],
                       "<a@b.example>"), (["-ra@b.example"], "<a@b.example>"), (["-f", "<a@b.example>"],
                       "<a@b.example>"), (["-f", ""], "<>"), (["-f", "<>"], "<>"), (["-r", "<>"], "<>"),
                       ([], f"<{ME}@example.test>"), (["-f", "a+b=c@d.example"], "<a+b=c@d.example>")):
        m = c(*args, "bob@example.test")
        assert m["Return-Path"] == want, (args, m.head)
        if want == "<>":
            assert m["From"].startswith("MAILER-DAEMON@"), m.head
        elif args:
            assert want in m["From"] or m["From"] == want[1:-1], m.head
    for name, want in (("Full Name", "Full Name <a@b.example>"), ('A "B" C.', r'"A \"B\" C." <a@b.example>'),
                       ("\u00c4", "=?utf-8?B?w4Q=?= <a@b.example>"), ("x\r\nBcc: alice@example.test", None)):
        m = c("-f", "a@b.example", "-F", name, "bob@example.test")
        assert m["From"] == want if want else m["From"].endswith("a@b.example"), m.head
        assert not m.all("Bcc")
    assert c.b.mailbox("alice") == []


# ---- the message ------------------------------------------------------------------------


def headers(c):
    # Bcc goes, in every form, and those it names get the message.
    text = "To: bob@example.test\nbCC : alice@example.test,\n\t" + ME + "@example.test\nSubject: s\n" \
        "Bcc: alice@example.test\nX-Bcc: stays\n\nBcc: in the body\n"
    m = c("-t", text=text)
    assert not m.all("Bcc") and ME + "@" not in m.head.replace(m["Return-Path"], "").replace(m["From"], "")
    assert m["X-Bcc"] == "stays" and m.body == b"Bcc: in the body\n"
    assert c.arrived("alice").body == m.body and c.arrived(ME).body == m.body
    m = c("bob", text="Bcc: alice\nSubject: s\n\n")
    assert not m.all("Bcc") and m["To"] == "undisclosed-recipients:;"
    # Only Bcc: the others do not learn of each other.
    m = c("-t", text="Bcc: bob, alice\n\n")
    assert m["To"] == "undisclosed-recipients:;" and "alice" not in m.head
    c.arrived("alice")
    # What is there stays; what is missing is added once.
    text = "Date: Fri, 20 Nov 2026 12:00:00 +0000\nMessage-Id: <own@id>\nFrom: Me <me@example.test>\nTo: bob\n\n"
    m = c("bob", text=text)
    assert m["Date"] == "Fri, 20 Nov 2026 12:00:00 +0000" and m["Message-ID"] == "<own@id>"
    assert m["From"] == "Me <me@example.test>" and m["To"] == "bob"
    m = c("bob", text="Cc: bob\n\n")
    assert not m.all("To")
    assert re.fullmatch(r"<[^<>@\s]+@mx\.example\.test>", m["Message-ID"])
    assert re.fullmatch(r"\w{3}, \d{1,2} \w{3} \d{4} \d\d:\d\d:\d\d [+-]\d{4}", m["Date"])
    assert len(m.all("Received")) == 1 and f"userid {os.geteuid()}" in m["Received"]
    assert c("bob", text="Return-Path: <forged@x>\nSubject: x\n\n")["Return-Path"] == f"<{ME}@example.test>"
    # Recipients in all the forms that headers know; each gets it once.
    text = 'To: "Bob, the first" <bob@example.test>, team: alice@example.test, (a comment, with comma) bob;\n' \
        f"Cc: {ME},\n bob@EXAMPLE.test\nSubject: x\n\n"
    c("-t", text=text)
    c.arrived("alice")
    c.arrived(ME)
    c("-t", "alice@example.test", text="To: bob\n\n")
    c.arrived("alice")
    # A message that is sent on: Resent- decides.
    m = c("-t", text="To: alice\nResent-To: bob\nResent-Bcc: alice\nFrom: a@b.example\nDate: x\nMessage-ID: <1@x>\n\n")
    c.arrived("alice")
    assert m["Resent-From"] and m["Resent-Date"] and m["From"] == "a@b.example" and not m.all("Resent-Bcc")
    c.b.empty()
    assert c.b.mailbox("bob") == c.b.mailbox("alice") == c.b.mailbox(ME) == []


def bodies(c):
    long = "x" * 1_300_000
    for args, text, body in (
            (["-i"], "S: x\n\na\n.\nb\n", "a\n.\nb\n"), ([], "S: x\n\na\n.\nb\n", "a\n"),
            ([], "S: x\n\na\n.", "a\n"), ([], "S: x\n\na\n. \n..\n.b\n", "a\n. \n..\n.b\n"),
            ([], "S: x\r\n\r\na\r\n.\r\nb\r\n", "a\n"), (["-oi"], "S: x\r\n\r\na\r\n.\r\nb\r\n", "a\n.\nb\n"),
            (["-i"], "S: x\n\n.", ".\n"), (["-i"], "S: x\n\nno end", "no end\n"),
            (["-i"], "S: x\r\n\nmixed\r\nends\n\r\n", "mixed\nends\n\n"),
            ([], "no header at all\nnone\n", "no header at all\nnone\n"), ([], "\nbody\n", "body\n"),
            ([], "", ""), ([], "S: x\n", ""), ([], "S: x\nnot a field\nmore\n", "not a field\nmore\n"),
            ([], "From bob Fri Nov 20 12:00:00 2026\nS: x\n\nFrom the body\n", "From the body\n"),
            ([], ">From bob Fri Nov 20 12:00:00 2026\nS: x\n\nb\n", "b\n"),
            ([], " a continuation of nothing\n\nx\n", " a continuation of nothing\n\nx\n"),
            (["-i"], "S: x\n\n" + long + "\n.\n" + long, long + "\n.\n" + long + "\n"),
            (["-i"], long + "\nb\n", long + "\nb\n"), ([], "S: x\n\n" + "y" * 8191 + ".\nb\n", "y" * 8191 + ".\nb\n"),
            (["-i"], "S: x\n\n" + ("." * 997 + "\n") * 5000, ("." * 997 + "\n") * 5000)):
        m = c(*args, "bob", text=text)
        same(m.body, body.encode(), (args, text[:60]))
        assert m.all("S") == (["x"] if "S: x" in text else []), text[:60]
    m = c("-i", "bob", text=b"S: x\n\n" + bytes(range(128, 256)) + b"\n")
    assert m.body == bytes(range(128, 256)) + b"\n"


def endless(c):
    """A field without an end is refused before it has one."""
    with subprocess.Popen([program("sendmail"), "-C", c.b.conf, "-i", "bob"], stdin=subprocess.PIPE,
                          stderr=subprocess.PIPE) as p:
        with contextlib.suppress(BrokenPipeError):
            p.stdin.write(b"Subject: x\nX: ")
            # Until nobody reads it.
            while True:
                p.stdin.write(b"x" * 65536)
                p.stdin.flush()
        with contextlib.suppress(BrokenPipeError):
            p.stdin.close()
        assert p.wait() == DATAERR and b"the header is too large" in p.stderr.read()
    assert os.listdir(c.b.dir + "/spool/drop") == []


def killed(c):
    """Who dies while writing leaves no message, and none that is half."""
    p = subprocess.Popen([program("sendmail"), "-C", c.b.conf, "-i", "bob"], stdin=subprocess.PIPE)
    p.stdin.write(b"Subject: half\n\n" + b"text\n" * 50_000)
    p.stdin.flush()
    wait_for("the file in drop/", lambda: os.listdir(c.b.dir + "/spool/drop"))
    p.kill()
    p.wait()
    # Who took the second of these has looked at what was there before it.
    for _ in range(2):
        assert c("-i", "bob").body == b"hello\n"
    assert c.b.mailbox("bob") == []
    for name in os.listdir(c.b.dir + "/spool/drop"):
        assert name.startswith("tmp."), name
        os.unlink(c.b.dir + "/spool/drop/" + name)
    with contextlib.suppress(BrokenPipeError):
        p.stdin.close()


# ---- without a daemon; the listing --------------------------------------------------------


def mailq(c, *args, name="mailq", check=True):
    r = subprocess.run([program(name), "-C", c.b.conf, *args], capture_output=True, text=True)
    assert not check or r.returncode == 0, r
    return r.stdout


def parse_mailq(text):
    """As monitoring does: the last line, and paragraphs."""
    lines = text.splitlines()
    if lines == ["Mail queue is empty"]:
        return []
    assert re.fullmatch(r"-Queue ID- +--Size-- ----Arrival Time---- -Sender/Recipient-------", lines[0]), lines[0]
    m = re.fullmatch(r"-- (\d+) Kbytes in (\d+) Requests?\.", lines[-1])
    found = []
    for part in "\n".join(lines[1:-1]).strip("\n").split("\n\n"):
        first, *rest = part.split("\n")
        head = re.fullmatch(r"([0-9A-F]{6,})([*! ]) +(\d+) (\w{3} \w{3} [ \d]\d \d\d:\d\d:\d\d)  (\S+)", first)
        assert head, first
        reasons = [r for r in rest if r.startswith("(") and r.endswith(")")]
        rcpts = [r.strip() for r in rest if r.startswith(" ")]
        assert len(reasons) + len(rcpts) == len(rest), part
        found.append((head[1], head[2], int(head[3]), head[5], rcpts, reasons))
    assert int(m[2]) == len(found) and (m[0].endswith("Request.") == (len(found) == 1)), text
    assert int(m[1]) == -(-sum(f[2] for f in found) // 1024), text
    return found


def while_down(c):
    assert mailq(c) == "Mail queue is empty\n" and c.b.sendmail("-bp").stdout == b"Mail queue is empty\n"
    assert mailq(c, "--json") == ""
    c.b.stop()
    c.b.sendmail("-f", "alice@example.test", "bob@example.test", text="Subject: first\n\n1\n")
    got = parse_mailq(mailq(c))
    assert len(got) == 1 and got[0][3:] == ("alice@example.test", ["bob@example.test"], []), got
    c.b.sendmail("-f", "", "bob@example.test", "alice@example.test", text="Subject: second\n\n" + "x" * 3000)
    got = parse_mailq(mailq(c))
    assert len(got) == 2 and {g[3] for g in got} == {"alice@example.test", "MAILER-DAEMON"}, got
    assert parse_mailq(c.b.sendmail("-bp").stdout.decode()) == got
    objects = [json.loads(line) for line in mailq(c, "--json").splitlines()]
    assert {o["queue_id"] for o in objects} == {g[0] for g in got}
    for o in objects:
        assert o["queue_name"] == "drop" and o["message_size"] > 0 and abs(o["arrival_time"] - time.time()) < 60
        assert [r["state"] for r in o["recipients"]] == ["queued"] * len(o["recipients"])
    # A caller who waits for a daemon waits for nothing.
    r = c.b.sendmail("-q", check=False)
    assert r.returncode == 69 and b"not running" in r.stderr, r
    for name, args in (("newaliases", ()), ("sendmail", ("-bi",)), ("sendmail", ("-I",))):
        r = c.b.sendmail(*args, name=name)
        assert r.stdout == b"" and b"no files of aliases" in r.stderr, r
    c.b.start()
    c.arrived("alice")
    assert sorted(Mail(t)["Subject"] for t in c.b.mail("bob", 2)) == ["first", "second"]
    for path in c.b.mailbox("bob"):
        os.unlink(path)
    c.b.empty()
    assert mailq(c) == "Mail queue is empty\n"
    for args in (["-q"], ["-qI06510000000000000A1", "-i"], ["-q1h"], ["-qRexample.test"]):
        c.b.sendmail(*args, text="")


def deferred(c, sink):
    """What a next hop puts off stands in mailq, with the reason."""
    c.b.sendmail("-N", "failure", "-R", "hdrs", "-V", "env+id=1", "-f", "alice@example.test", "x@far.example",
                 "y@far.example", text="Subject: far\n\n\u00e4\n")
    wait_for("the first attempt", lambda: "status=deferred" in c.b.log())
    got = wait_for("a reason", lambda: [g for g in parse_mailq(mailq(c)) if g[5]])
    assert len(got) == 1 and got[0][1] == " " and got[0][4] == ["x@far.example", "y@far.example"], got
    assert got[0][5] == ["(450 4.2.0 later, please)"] or "450 4.2.0 later, please" in got[0][5][0], got
    o = json.loads(mailq(c, "--json"))
    assert o["queue_name"] == "deferred" and o["next_attempt"] > time.time(), o
    assert all("450 4.2.0" in r["delay_reason"] for r in o["recipients"]), o
    wait_for("the end of the connection", lambda: os.path.exists(sink.out + "/conn-0001.json"))
    with open(sink.out + "/conn-0001.json") as f:
        lines = json.load(f)["lines"]
    mail = next(line for line in lines if line.startswith("MAIL"))
    assert "FROM:<alice@example.test>" in mail and "RET=HDRS" in mail and "ENVID=env+2Bid+3D1" in mail, mail
    assert "NOTIFY=FAILURE" in next(line for line in lines if line.startswith("RCPT")), lines
    c.b.ctl("queue", "delete", o["queue_id"])
    c.b.empty()


def dialogue(c, *steps):
    """Speaks SMTP to sendmail -bs; each step is what is sent and the code that must come."""
    p = subprocess.Popen([program("sendmail"), "-C", c.b.conf, "-bs"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                         stderr=subprocess.PIPE)
    heard = b""
    for text, code in (("", 220), *steps):
        p.stdin.write(text.encode())
        p.stdin.flush()
        while not re.match(rb"\d{3} ", line := p.stdout.readline()):
            assert line, heard
            heard += line
        assert line.startswith(str(code).encode()), (text, line)
    p.stdin.close()
    end = p.stdout.read(), p.stderr.read(), p.wait()
    assert end == (b"", b"", 0), end
    p.stdout.close()
    p.stderr.close()
    return heard


def session(c):
    """-bs: SMTP on standard input."""
    steps = (("EHLO x\r\n", 250), ("RCPT TO:<bob@example.test>\r\n", 503), ("MAIL FROM:<alice@example.test>\r\n", 250),
             ("RCPT TO:<bob@example.test>\r\n", 250), ("RCPT TO:<bad@>\r\n", 501), ("DATA\r\n", 354),
             ("Subject: by -bs\r\n\r\n..dot\r\n.\r\n", 250))
    heard = dialogue(c, *steps, ("NOOP\r\n", 250), ("QUIT\r\n", 221))
    assert b"STARTTLS" not in heard and b"AUTH" not in heard and b"PIPELINING" in heard
    m = c.arrived()
    assert m.body == b".dot\n" and m["Return-Path"] == "<alice@example.test>" and m["Subject"] == "by -bs"
    # A person at a terminal, and many a script, ends lines with LF; but then all of them, from the first one on.
    dialogue(c, *((text.replace("\r\n", "\n"), code) for text, code in steps), ("QUIT\n", 221))
    assert c.arrived().body == b".dot\n"
    dialogue(c, steps[0], ("NOOP\n", 500), *steps[2:6], ("Subject: x\r\n\r\nx\n.\nx\r\n.\r\n", 550), ("QUIT\r\n", 221))
    # A chunk has octets and no lines: there are none here, and what would be one is no command.
    assert b"CHUNKING" not in heard and b"BINARYMIME" not in heard
    dialogue(c, *steps[:4], ("BDAT 6 LAST\r\nQUIT\r\n", 502))
    # The end of input is the end of the session, and sends nothing.
    dialogue(c, *steps[:-1])
    c.b.stop()
    dialogue(c, *steps, ("QUIT\r\n", 221))
    c.b.start()
    assert c.arrived()["Subject"] == "by -bs" and c.b.mailbox("bob") == []


def from_network(c):
    """-bs is a user of this host, who may send anywhere: what inetd would start is none (S-37)."""
    with socket.create_server(("127.0.0.1", 0)) as s, socket.create_connection(s.getsockname(), 30) as client:
        mine, _ = s.accept()
        p = subprocess.Popen([program("sendmail"), "-C", c.b.conf, "-bs"], stdin=mine, stdout=mine, stderr=subprocess.PIPE)
        mine.close()
        said = client.makefile("rb").read()
    assert said.startswith(b"421 4.3.2 ") and said.count(b"\n") == 1, said
    assert b"network" in p.stderr.read() and p.wait() == USAGE
    p.stderr.close()


def verify(c):
    out = c.b.sendmail("-bv", "bob@example.test", "x@far.example").stdout.decode().splitlines()
    assert len(out) == 2 and out[0].startswith("bob@example.test... ") and "bob" in out[0], out
    assert out[1].startswith("x@far.example... ") and "far" in out[1], out
    for args, code in ((["a@@b"], 67), (["x@never.example"], 67), (["x@never.example", "x@later.example"], 67),
                       (["x@later.example", "bob"], 75), (["x@no.example"], 0), (["-f", "spam@x.example", "x@no.example"], 67),
                       ([], USAGE), (["-t"], USAGE)):
        r = c.b.sendmail("-bv", *args, check=False, text="To: bob\n\n")
        assert r.returncode == code and bool(r.stderr) == (code == USAGE), (args, r)
    assert b": 450 4.7.1 Not today (" in c.b.sendmail("-bv", "x@later.example", check=False).stdout
    c.b.empty()


# ---- attacks --------------------------------------------------------------------------------


def argc_zero():
    """A program that is called without even a name neither crashes nor reads behind argv."""
    pid = os.fork()
    if pid == 0:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
        libc = ctypes.CDLL(None)
        libc.execve(program("sendmail").encode(), (ctypes.c_char_p * 1)(None), (ctypes.c_char_p * 2)(b"-bp", None))
        os._exit(99)
    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    assert code >= 0 and code != 99, code


def attacks(c):
    touched = c.dir + "/touched"
    for rcpt in (f"|touch {touched}", f'"|touch {touched}"', f"$(touch {touched})@example.test",
                 f"`touch {touched}`@example.test", f";touch {touched};", f":include:{c.b.conf}", touched,
                 f'"{touched}"', "../../bob", f'"../{touched}"@example.test', f"bob@example.test;touch {touched}"):
        c.b.sendmail("-f", "", "--", rcpt, check=False)
        c.b.sendmail("-t", "-f", "", text=f"To: {rcpt}\n\nx\n", check=False)
    c.b.sendmail("-f", f"() {{ :;}}; touch {touched}", "bob", check=False)
    c.b.sendmail("-f", "a@b.example", "bob", text=f"Subject: () {{ :;}}; touch {touched}\n\nx\n")
    c.b.sendmail(*["x" * 1000 + "@example.test"] * 900, check=False)
    argc_zero()
    wait_for("the end of all attempts", lambda: [s for s in c.b.spooled() if s[0] not in ("dead",)] == [])
    assert not os.path.exists(touched) and os.path.exists(c.b.conf)
    for path in c.b.mailbox("bob"):
        os.unlink(path)
    # What went to nobody and came from nobody waits for a person.
    dead = parse_mailq(mailq(c))
    assert len(dead) > 5 and all(d[3] == "MAILER-DAEMON" and d[5] for d in dead), dead
    c.b.ctl("queue", "delete", *(d[0] for d in dead))
    assert mailq(c) == "Mail queue is empty\n"


def namespace(script):
    """A shell as root among mounts of its own; None where that is not allowed."""
    r = subprocess.run(["unshare", "-m", "sh", "-euc", script], capture_output=True, text=True)
    return None if "unshare: " in r.stderr or "mount: " in r.stderr or r.returncode == 32 else r


def as_stranger(c):
    """Set-group-id, called by somebody else: what it may, and what it gives up."""
    if not ROOT:
        print("not root: the set-group-id program was not tried")
        return
    with open(program("sendmail"), "rb") as f:
        if b"__asan_init" in f.read():
            print("AddressSanitizer cannot look into a set-group-id program: it was not tried")
            return
    stat = os.stat(c.b.dir + "/spool/drop")
    assert stat.st_mode & 0o7777 == 0o2730, oct(stat.st_mode)
    path = c.b.dir + "/sendmail-setgid"
    shutil.copy(program("sendmail"), path)
    os.chown(path, 0, stat.st_gid)
    os.chmod(path, 0o2755)
    etc = PREFIX + "/etc"
    prepare = f"mkdir -p {etc}; mount -t tmpfs none {etc}; mkdir {etc}/barid; cp {c.b.conf} {etc}/barid/barid.conf; " \
        f"chmod 644 {etc}/barid/barid.conf; cd /; "
    stranger = "setpriv --reuid=1 --regid=1 --clear-groups"
    r = namespace(prepare + f"printf 'Subject: s\\n\\nb\\n' | {stranger} {path} bob@example.test")
    if r is None:
        print("no mounts of one's own are allowed here: the set-group-id program was not tried")
        return
    assert r.returncode == 0, r
    m = c.arrived()
    assert m.body == b"b\n" and "userid 1)" in m["Received"]
    assert m["Return-Path"] == f"<{pwd.getpwuid(1).pw_name}@example.test>"
    # With a configuration of the caller's the group is given up.
    r = namespace(prepare + f"printf 'Subject: s\\n\\nb\\n' | {stranger} {path} -C {c.b.conf} bob@example.test")
    assert r.returncode == NOPERM, r
    r = namespace(prepare + f"printf 'Subject: s\\n\\nb\\n' | {stranger} env BARID_CONF=/tmp/evil {path} bob")
    assert r.returncode == 0, r
    c.arrived()
    c.b.empty()
    # The queue is listed by the barid that runs; what is in it cannot be looked into.
    r = namespace(prepare + f"{stranger} {path} -bp")
    assert r.returncode == 0 and r.stdout == "Mail queue is empty\n" and not r.stderr, r
    for place in ("", "/drop", "/new", "/cur"):
        r = namespace(f"{stranger} ls {c.b.dir}/spool{place}")
        assert r.returncode != 0, (place, r)
    # A full file system and one that cannot be written are for later.
    full = f"mount -t tmpfs -o size=64k,mode=755 none {c.b.dir}/spool; mkdir -m 2777 {c.b.dir}/spool/drop; " \
        f"chmod 2775 {c.b.dir}/spool/drop; "
    r = namespace(full + f"yes 0123456789 | head -c 1000000 | {program('sendmail')} -C {c.b.conf} bob")
    assert r.returncode == TEMPFAIL, r
    r = namespace(full + f"mount -o remount,ro {c.b.dir}/spool; printf 'S: x\\n\\n' | "
                  f"{program('sendmail')} -C {c.b.conf} bob")
    assert r.returncode == TEMPFAIL, r


def main():
    need("php", "git")
    users = tuple(dict.fromkeys(("alice", "bob", ME)))
    with Barid(users=users, start=False) as b:
        out = b.dir + "/sink"
        os.mkdir(out)
        with Peer("sinkd", "--out", out, "--rule", "RCPT=450 4.2.0 later, please") as sink:
            sink.out = out
            b.write_conf(f'upstream "far" {{ server "127.0.0.1" {{ port = {sink.port} }} }}\n'
                         'route "far.example" { via = "far" }\nlimits { message-size = 6MB }\n'
                         'route "never.example" { via = "error:550 No" }\n'
                         'route "later.example" { via = "error:450 Not today" }\n'
                         'route "no.example" { via = "error:550 No" sender = {"x.example"} }\n'
                         'route "no.example" { via = "discard" }\n')
            b.start()
            c = Caller(b)
            for test in (cron, git, php, mutt, flags, exit_codes, senders, headers, bodies, endless, killed, while_down,
                         session, from_network, verify, attacks, as_stranger):
                test(c)
            deferred(c, sink)


main()
