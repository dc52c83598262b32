# SPDX-License-Identifier: GPL-3.0-or-later
"""Clients that we did not write fetch mail: all of it, byte for byte, once; and delete it, or not."""
import os
import random
import re
import sys

sys.path.insert(0, os.environ["BARID_SRC"] + "/tests/tools")
from baridtest import Barid, PASSWORD, ROOT, USER, need, on_terminal, run, same  # noqa: E402

HEADER = "From: a@elsewhere.example\r\nTo: bob@example.test\r\nSubject: {}\r\n" \
    "Date: Fri, 20 Nov 2026 12:00:00 +0000\r\nMessage-ID: <{}@client.test>\r\nMIME-Version: 1.0\r\n" \
    "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n"
BODIES = {
    "plain": "one line\r\n",
    "dots": ".\r\n..\r\n.. \r\n. a dot\r\n\r\n.\r\n",
    "eight-bit": "\u00e4\u00f6\u00fc \u0645\u0631\u062d\u0628\u0627\r\n",
    "long-lines": ("x" * 990 + "\r\n." + "y" * 980 + "\r\n") * 20,
    "empty": "",
    "from-lines": "From me to you\r\n\r\nFrom here\r\n>From there\r\n",
}
RANDOM = random.Random(4711)
LARGE = "".join(RANDOM.choices("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghij+/", k=72)) + "\r\n"


class Fetching:
    def __init__(self, b):
        self.b = b
        self.dir = b.dir + "/client"
        os.mkdir(self.dir)
        self.ca = b.dir + "/localhost.pem"

    def fill(self, user, large=False):
        """Fresh mail for USER; returns what POP3 must give, in its order."""
        assert self.b.mailbox(user) == []
        bodies = dict(BODIES, **({"large": LARGE * (10 << 20 >> 6)} if large else {}))
        for name, body in bodies.items():
            self.b.send("a@elsewhere.example", [user + "@example.test"],
                        (HEADER.format(name, name) + body).encode())
        return sorted(self.wire(t) for t in self.b.mail(user, len(bodies)))

    @staticmethod
    def wire(stored):
        return stored.replace(b"\n", b"\r\n")

    def file(self, name, text):
        path = f"{self.dir}/{name}"
        with open(path, "w") as f:
            os.fchmod(f.fileno(), 0o600)
            f.write(text)
        return path

    def url(self, service, host="127.0.0.1", user=""):
        return f"{'pop3s' if service == 'pop3s' else 'pop3'}://{user}{host}:{self.b.port[service]}/"


def check(got, want, what):
    assert len(got) == len(want), (what, len(got), len(want))
    for g, w in zip(sorted(got), want):
        same(g, w, what)


def curl(f, service, *args):
    want = f.fill("bob", large=True)
    base = ["curl", "-sS", "--ssl-reqd", "--cacert", f.ca, "--user", f"bob:{PASSWORD}", *args]
    url = f.url(service)
    sizes = dict(map(int, line.split()) for line in run(*base, url).splitlines())
    uidls = run(*base, "--request", "UIDL", url).split()[1::2]
    assert [u.decode() for u in uidls] == f.b.uidls("bob") and len(set(uidls)) == len(want)
    got = [run(*base, url + str(n)) for n in sizes]
    assert [len(t) for t in got] == list(sizes.values())
    check(got, want, "curl " + service)
    assert len(f.b.mailbox("bob")) == len(want)
    # Each of these is a session of its own.
    while (left := len(f.b.mailbox("bob"))) > 0:
        run(*base, "--head", "--request", "DELE 1", url)
        assert len(f.b.mailbox("bob")) == left - 1


def mpop(f, service, auth):
    want = f.fill("bob", large=True)
    box = f"{f.dir}/mpop-{service}-{auth}"
    for sub in ("tmp", "new", "cur"):
        os.makedirs(f"{box}/{sub}")
    text = f"account default\nhost 127.0.0.1\nport {f.b.port[service]}\ntls on\n" \
        f"tls_starttls {'off' if service == 'pop3s' else 'on'}\ntls_trust_file {f.ca}\nauth {auth}\nuser bob\n" \
        f"password {PASSWORD}\nreceived_header off\ndelivery maildir {box}\nuidls_file {box}.uidls\n"
    fetched = []

    def fetch(keep):
        run("mpop", "-q", "-C", f.file("mpoprc", text + f"keep {keep}\n"), folder=f.dir)
        names = [f"{box}/{sub}/{n}" for sub in ("new", "cur") for n in os.listdir(f"{box}/{sub}")]
        new = [n for n in names if n not in fetched]
        fetched.extend(new)
        return [f.wire(open(n, "rb").read()) for n in new]

    check(fetch("on"), want, "mpop")
    assert fetch("on") == [] and len(f.b.mailbox("bob")) == len(want)
    # Another reader moves all to cur/ and marks it: the names for POP3 stay.
    for path in f.b.mailbox("bob")[::2]:
        os.rename(path, path.replace("/new/", "/cur/") + ":2,S")
    assert fetch("on") == []
    f.b.stop()
    f.b.start()
    assert fetch("off") == []
    assert f.b.mailbox("bob") == []


def fetchmail(f, service):
    want = f.fill("bob")
    out = f"{f.dir}/fetched"
    mda = f.file("mda", f"#!/bin/sh\nn=$(ls {out} | wc -l)\nexec cat >{out}/$n\n")
    os.chmod(mda, 0o700)
    os.makedirs(out, exist_ok=True)
    tls = "ssl" if service == "pop3s" else "sslproto TLS1+"
    rc = f.file("fetchmailrc", f'set no bouncemail\nset no syslog\nset invisible\npoll 127.0.0.1 protocol POP3 '
                f'port {f.b.port[service]} uidl user bob password "{PASSWORD}" {tls} sslcommonname localhost sslcertck sslcertfile {f.ca} '
                f'no rewrite no dropstatus no stripcr pass8bits mda "{mda}" keep\n')
    env = dict(FETCHMAILHOME=f.dir, folder=f.dir)

    def got():
        texts = [open(f"{out}/{n}", "rb").read() for n in os.listdir(out)]
        for n in os.listdir(out):
            os.unlink(f"{out}/{n}")
        return texts

    run("fetchmail", "--pidfile", f.dir + "/fetchmail.pid", "--fetchmailrc", rc, **env)
    check(got(), want, "fetchmail")
    # Nothing is new the second time (exit code 1), and all is there still.
    run("fetchmail", "--pidfile", f.dir + "/fetchmail.pid", "--fetchmailrc", rc, code=1, **env)
    assert got() == [] and len(f.b.mailbox("bob")) == len(want)
    run("fetchmail", "--pidfile", f.dir + "/fetchmail.pid", "--fetchmailrc", rc, "--nokeep", "--fetchall", **env)
    check(got(), want, "fetchmail")
    assert f.b.mailbox("bob") == []


def getmail(f, service):
    """It knows TLS from the start only; each message becomes a file of a Maildir."""
    want = f.fill("bob")
    box = f"{f.dir}/getmail"
    for d in ("", "/tmp", "/new", "/cur"):
        os.makedirs(box + d)
        f.b.give(box + d)
    # Nothing is delivered by root.
    user = f"user = {USER}\n" if ROOT else ""
    os.chmod(f.dir, 0o755)
    rc = f.file("getmailrc", f"[retriever]\ntype = SimplePOP3SSLRetriever\nserver = localhost\n"
                f"port = {f.b.port[service]}\nusername = bob\npassword = {PASSWORD}\nca_certs = {f.ca}\n"
                f"[destination]\ntype = Maildir\npath = {box}/\n{user}"
                "[options]\nread_all = false\ndelete = false\ndelivered_to = false\nreceived = false\n")

    def got():
        texts = [open(f"{box}/new/{n}", "rb").read() for n in os.listdir(box + "/new")]
        for n in os.listdir(box + "/new"):
            os.unlink(f"{box}/new/{n}")
        return texts

    run("getmail", "--getmaildir", f.dir, "--rcfile", rc, folder=f.dir)
    texts = got()
    assert len(texts) == len(want)
    # It writes the header anew, and leaves the body as it is.
    bodies = sorted(t.split(b"\r\n\r\n", 1)[1].replace(b"\r\n", b"\n").strip() for t in want)
    assert sorted(t.split(b"\n\n", 1)[1].strip() for t in texts) == bodies
    run("getmail", "--getmaildir", f.dir, "--rcfile", rc, folder=f.dir)
    assert got() == [] and len(f.b.mailbox("bob")) == len(want)
    run("getmail", "--getmaildir", f.dir, "--rcfile", rc, "--all", "--delete", folder=f.dir)
    assert len(got()) == len(want) and f.b.mailbox("bob") == []


def s_nail(f, service):
    want = f.fill("bob")
    user = f"bob:{PASSWORD}@"
    args = [a for s in ("v15-compat", "tls-ca-file=" + f.ca, "tls-ca-no-defaults", "tls-verify=strict",
                        "MBOX=/dev/null", "posix", *(["pop3-use-starttls"] if service == "pop3" else []))
            for a in ("-S", s)]
    out = f"{f.dir}/s-nail-{service}"
    os.mkdir(out)

    def session(*commands):
        run("s-nail", "-:/", "-#", *args, *(a for c in commands for a in ("-Y", c)), "-Y", "x", "-f",
            f.url(service, "localhost", user), folder=f.dir)

    session(*(f"write {n} {out}/{n}" for n in range(1, len(want) + 1)))
    got = [open(f"{out}/{n}", "rb").read() for n in range(1, len(want) + 1)]
    bodies = [t.split(b"\r\n\r\n", 1)[1].replace(b"\r\n", b"\n") for t in want]
    # It keeps what it fetched as an mbox, and quotes.
    assert sorted(t.replace(b">From", b"From") for t in got) == sorted(t.replace(b">From", b"From") for t in bodies)
    assert len(f.b.mailbox("bob")) == len(want)
    run("s-nail", "-:/", "-#", *args, "-Y", "delete *", "-Y", "quit", "-f", f.url(service, "localhost", user),
        folder=f.dir)
    assert f.b.mailbox("bob") == []


def mutt(f, folder, keys, *settings):
    """Mutt opens FOLDER on a terminal and is given these keys."""
    # Without that folder it asks whether to make it.
    os.makedirs(f.dir + "/Mail", exist_ok=True)
    rc = f.file("muttrc", f"set ssl_ca_certificates_file=\"{f.ca}\" ssl_starttls=yes ssl_force_tls=yes\n"
                "set mbox_type=Maildir delete=yes move=no confirmappend=no confirmcreate=no\n"
                "set quit=yes wait_key=no mail_check=0 copy=no mark_old=yes sort=mailbox-order\n"
                + "".join(f"set {s}\n" for s in settings))
    code, shown = on_terminal("mutt", "-n", "-F", rc, "-e", f'push "{keys}"', "-f", folder, folder=f.dir)
    assert code == 0, shown[-2000:]


def mutt_pop3(f, service):
    want = f.fill("bob")
    box = f"{f.dir}/mutt-{service}"
    url = f"{'pops' if service == 'pop3s' else 'pop'}://bob:{PASSWORD}@localhost:{f.b.port[service]}/"
    mutt(f, url, f"<tag-pattern>~A<enter><tag-prefix><copy-message>{box}<enter><quit>")
    got = [open(f"{box}/{s}/{n}", "rb").read() for s in ("new", "cur") for n in os.listdir(f"{box}/{s}")]
    # It adds fields of its own at the header's end.
    got = [re.sub(rb"\r\n(?:Content-Length|Lines|Status): \w+(?=\r\n)", b"", f.wire(t)) for t in got]
    check(got, want, "mutt")
    assert len(f.b.mailbox("bob")) == len(want)
    mutt(f, url, "<delete-pattern>~A<enter><quit>")
    assert f.b.mailbox("bob") == []


def mutt_maildir(f):
    """Mutt reads the Maildir itself: what it moves and marks keeps its name for POP3."""
    want = f.fill("bob")
    before = f.b.uidls("bob")
    paths = f.b.mailbox("bob")
    mutt(f, f"{f.b.dir}/mail/bob", "<display-message><exit><next-entry><flag-message><quit>")
    now = f.b.mailbox("bob")
    assert all("/cur/" in p for p in now) and now != paths, now
    assert f.b.uidls("bob") == before
    c = f.b.pop3("bob")
    check([b"\r\n".join(c.retr(n)[1]) + b"\r\n" for n in range(1, len(want) + 1)], want, "after mutt")
    for n in range(1, len(want) + 1):
        c.dele(n)
    c.quit()
    assert f.b.mailbox("bob") == []


def main():
    need("curl", "mpop", "fetchmail", "getmail", "s-nail", "mutt")
    with Barid(relay=()) as b:
        f = Fetching(b)
        curl(f, "pop3")
        curl(f, "pop3s", "--login-options", "AUTH=PLAIN")
        curl(f, "pop3s", "--login-options", "AUTH=PLAIN", "--sasl-ir")
        for service in ("pop3", "pop3s"):
            mpop(f, service, "user")
            mpop(f, service, "plain")
            fetchmail(f, service)
            s_nail(f, service)
            mutt_pop3(f, service)
        getmail(f, "pop3s")
        mutt_maildir(f)


main()
