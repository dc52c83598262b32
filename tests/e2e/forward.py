# SPDX-License-Identifier: GPL-3.0-or-later
"""The .forward of accounts: who gets the mail, what runs as whom, and which files are not believed (S-43, S-52)."""
import glob
import json
import os
import re
import shutil
import sys

sys.path.insert(0, os.environ["BARID_SRC"] + "/tests/tools")
from accounttest import UID, alone, over  # noqa: E402
from baridtest import Barid, Sink, route, upstream, wait_for  # noqa: E402

SENDER = "alice@example.test"
TEXT = "From: alice@example.test\r\nSubject: {}\r\n\r\nhello\r\n"
# Each has its file before anybody asks for it: what is known of one counts for some seconds.
ACCOUNTS = ("joe", "ann", "mal", "ping", "pong", "self", "link", "twice", "other", "open", "fifo", "large", "home", "more", "here", "there", "brim", "off")
CROWD = tuple(f"crowd{n}" for n in range(500))


def write(home, text, mode=0o644, uid=None, name=".forward"):
    """A file of the account, in place of the one before at once."""
    path = f"{home}/{name}"
    with open(path + ".new", "w", encoding="utf-8") as f:
        f.write(text)
    os.chmod(path + ".new", mode)
    owner = os.stat(home).st_uid if uid is None else uid
    os.chown(path + ".new", owner, owner)
    os.rename(path + ".new", path)


class World:
    def __init__(self, homes):
        self.homes, self.n = homes, 0
        self.b = Barid(start=False)
        os.chmod(self.b.dir, 0o755)
        self.b.write_conf('recipients { mailboxes = {"file", "system"} }\nqueue { retry = {1h} }\n'
                          'account "brim" { mailbox-messages = 1 }\naccount "off" { mailbox-messages = 1 }\n' + self.b.extra)

    def send(self, name, subject=None):
        """Sends it, and waits until nothing is left; the lines of the log about it."""
        self.n += 1
        before = len(self.b.log())
        self.b.send(SENDER, [f"{name}@example.test"], TEXT.format(subject or f"n{self.n}"))
        self.b.empty()
        return self.b.log()[before:]


def works(w, homes):
    b = w.b
    joe = homes + "/joe"
    write(joe, "# mine\n\\joe, ann\n\"|env >$HOME/env; id -u >$HOME/uid; cat >$HOME/text\"\n"
          f"{joe}/box, {joe}/Maildir/\n")
    said = b.ctl("explain", "joe+x@example.test").stdout
    assert "has a .forward" in said and "as whose .forward it is" in said and "<ann@example.test>" in said, said
    log = w.send("joe+x")
    assert len(b.mail("joe", 1)) == 1 and len(b.mail("ann", 1)) == 1
    with open(joe + "/uid", encoding="utf-8") as f:
        assert f.read().strip() == str(UID)
    with open(joe + "/env", encoding="utf-8") as f:
        env = dict(line.split("=", 1) for line in f.read().splitlines())
    assert env["HOME"] == joe and env["LOGNAME"] == "joe" and env["RECIPIENT"] == "joe+x@example.test", env
    assert env["EXTENSION"] == "x" and env["SENDER"] == SENDER, env
    box = b.read(joe + "/box")
    assert box.startswith("From alice@example.test  ") and box.endswith("\nhello\n\n"), box
    assert os.stat(joe + "/box").st_uid == UID and len(glob.glob(joe + "/Maildir/new/*")) == 1
    assert re.search(r"to=<ann@example\.test>, orig_to=<joe\+x@example\.test>, relay=local", log), log
    assert "(delivered to command: env >$HOME/env" in log and f"(delivered to file: {joe}/box)" in log, log
    # One that only says where: nobody else gets it.
    write(homes + "/mal", "ann\n")
    log = w.send("mal")
    assert "to=<ann@example.test>, orig_to=<mal@example.test>" in log and len(b.mail("ann", 2)) == 2


def loops(w, homes):
    """Two that lead to each other are returned; each that leads to itself is its mailbox."""
    b = w.b
    write(homes + "/ping", "pong\n")
    write(homes + "/pong", "ping@example.test\n")
    assert "5.4.6" in w.send("ping")
    report = wait_for("a report", lambda: [m for m in b.mail("alice", 0) if b"5.4.6" in m])[0]
    assert b"ping@example.test" in report
    write(homes + "/self", "self, self@example.test\n")
    assert re.search(r"to=<self@example\.test>.* relay=local, .*status=sent", w.send("self"))


def unbelieved(w, homes):
    """S-52: a file that somebody else could have made is none, and nobody hangs; the mail is kept."""
    for name in ("twice", "home"):
        write(f"{homes}/{name}", "ann\n")
    os.symlink(homes + "/twice/.forward", homes + "/link/.forward")
    os.link(homes + "/twice/.forward", homes + "/twice/second")
    write(homes + "/other", "|id >/tmp/x\n", uid=UID)
    write(homes + "/open", "ann\n", mode=0o664)
    os.mkfifo(homes + "/fifo/.forward", 0o644)
    os.chown(homes + "/fifo/.forward", *os.stat(homes + "/fifo")[4:6])
    write(homes + "/large", "# x\n" * 10000)
    write(homes + "/more", ":include:/etc/passwd\n")
    os.chmod(homes + "/home", 0o777)
    for name, words in (("link", "it is a symbolic link"), ("twice", "more than one name"), ("other", "another account's"),
                        ("open", "others can write it"), ("fifo", "no plain file"), ("large", "more than 32 KiB"),
                        ("home", "everybody can write the home"), ("more", "counts for nothing: it includes another")):
        log = w.send(name)
        assert re.search(rf"to=<{name}@example\.test>, relay=local, .*status=sent", log), log
        assert re.search(rf"\.forward.*{words}", log), (words, log)
        assert len(w.b.mail(name, 1)) == 1
    for text, said in ((":include:/etc/passwd\n", r"forward .*/more/\.forward: it includes another file"), ("# nobody\n", "")):
        write(homes + "/more", text)
        lines = w.b.ctl("explain", "more@example.test").stdout
        assert bool(said) == ("forward" in lines) and re.search(said, lines) and "list" not in lines, lines


def full(w, homes):
    """S-41: who has no room for it is said so at RCPT, unless his file may lead it elsewhere."""
    def rcpt(name):
        with w.b.smtp() as c:
            assert c.docmd("EHLO client.test")[0] == c.mail(SENDER)[0] == 250
            return c.rcpt(f"{name}@example.test")[1][:5]
    for name in ("brim", "off"):
        w.b.put(name, "1.x", b"Subject: x\n\nx\n")
    write(homes + "/off", "ann\n")
    assert [rcpt("brim"), rcpt("off+x"), rcpt("joe")] == [b"4.2.2", b"2.1.5", b"2.1.5"]
    # It is his to change at any time.  One that is not believed leads nowhere.
    write(homes + "/brim", "\\brim, ann\n")
    write(homes + "/off", "ann\n", mode=0o666)
    assert [rcpt("brim"), rcpt("off")] == [b"2.1.5", b"4.2.2"]


def kills(w, homes):
    """All is killed while a program of his has the message: it has it once more afterwards, and nobody loses it."""
    b, joe = w.b, homes + "/open"
    write(joe, "\"|cat >>$HOME/once; test -e $HOME/go || { echo $$ >$HOME/pid.new; mv $HOME/pid.new $HOME/pid; exec sleep 1000; }\"\n")
    # A restart knows nothing of the file before.
    b.stop()
    b.start()
    b.send(SENDER, ["open@example.test"], TEXT.format("killed"))
    wait_for("the program", lambda: os.path.exists(joe + "/pid"))
    pid = b.read(joe + "/pid").strip()
    b.kill()
    wait_for("its end", lambda: not os.path.exists(f"/proc/{pid}"))
    assert b.read(joe + "/once").count("Subject: killed") == 1
    write(joe, "", name="go")
    b.start()
    b.empty()
    assert b.read(joe + "/once").count("Subject: killed") == 2 and "delivered to command: cat >>$HOME/once" in b.log()


def fair(w, homes):
    """An account whose programs do not end has two of them, and nobody else waits for that."""
    b = w.b
    conf = b.extra
    b.write_conf(conf + "limits { programs = 3 }\n")
    b.stop()
    b.start()
    write(homes + "/more", "\"|echo >>$HOME/runs; until test -e $HOME/go; do sleep .1; done\"\n")
    write(homes + "/joe", "\"|cat >>$HOME/fair\"\n")
    for n in range(5):
        b.send(SENDER, ["more@example.test"], TEXT.format(f"more {n}"))
    wait_for("two programs", lambda: b.read(homes + "/more/runs") == "\n\n")
    for n in range(5):
        b.send(SENDER, ["joe@example.test"], TEXT.format(f"joe {n}"))
    wait_for("those of another", lambda: b.read(homes + "/joe/fair").count("Subject: joe") == 5)
    assert b.read(homes + "/more/runs") == "\n\n"
    shown = json.loads(b.ctl("--json", "top", "--once").stdout.splitlines()[0])["destinations"]
    assert [d["kind"] for d in shown if d["name"] == "more"] == ["forward"], shown
    write(homes + "/more", "", name="go")
    b.empty()
    assert b.read(homes + "/more/runs") == 5 * "\n"
    for name in ("/more/go", "/more/runs", "/joe/.forward"):
        os.unlink(homes + name)
    b.write_conf(conf)


def crowd(w, homes):
    """One alias leads to more accounts than can be asked for at once."""
    b = w.b
    conf = b.extra
    with open(homes + "/aliases", "w", encoding="ascii") as f:
        f.write(f"everybody: {', '.join(CROWD)}\n")
    for name in CROWD:
        write(f"{homes}/{name}", "ann\n")
    b.write_conf(f'aliases = {{"{homes}/aliases"}}\n' + conf)
    b.stop()
    b.start()
    log = w.send("everybody")
    assert re.search(r"to=<ann@example\.test>, orig_to=<everybody@example\.test>, relay=local, .*status=sent", log), log
    assert "status=deferred" not in log and "was lost" not in log, log
    b.write_conf(conf)


def maildirs(w, homes):
    """recipients.home-maildir: the mail of an account is in its Maildir and its own, that of others where it was."""
    b = w.b
    b.write_conf(b.extra.replace('"system"}', '"system"} home-maildir = "Maildir"') +
                 f'limits {{ programs = 1 }}\nvacation "ann" {{ message = "{homes}/away-*" }}\n')
    write(homes + "/more", "\"|touch $HOME/runs; until test -e $HOME/go; do sleep .1; done\"\n")
    b.stop()
    b.start()
    # What takes the place of all programs of a .forward is not in its way.
    b.send(SENDER, ["more@example.test"], TEXT.format("long"))
    wait_for("the program", lambda: os.path.exists(homes + "/more/runs"))
    b.send(SENDER, ["ann@example.test"], TEXT.format("at home"))
    wait_for("the mail", lambda: glob.glob(homes + "/ann/Maildir/new/*"))
    write(homes + "/more", "", name="go")
    b.empty()
    found = glob.glob(homes + "/ann/Maildir/new/*")
    assert len(found) == 1 and os.stat(found[0]).st_uid == UID + 1 and "Subject: at home" in b.read(found[0])
    assert os.stat(found[0]).st_mode & 0o777 == 0o600 and os.stat(homes + "/ann/Maildir").st_mode & 0o777 == 0o700
    before = len(b.mail("bob", 0))
    w.send("bob")
    assert len(b.mail("bob", before + 1)) == before + 1 and len(glob.glob(homes + "/ann/Maildir/new/*")) == 1
    # It answers as one of ours does.
    with open(homes + "/away-ann", "w", encoding="ascii") as f:
        f.write("away\n")
    b.send("bob@example.test", ["ann@example.test"], TEXT.format("leave").replace("\r\n", "\r\nTo: ann@example.test\r\n", 1))
    wait_for("an answer", lambda: any(b"Subject: Auto: leave" in m for m in b.mail("bob", 0)))
    b.empty()
    os.unlink(homes + "/away-ann")
    for path in glob.glob(homes + "/ann/Maildir/new/*"):
        if "Subject: leave" in b.read(path):
            os.unlink(path)
    # Of one that says itself, too.
    w.send("self")
    assert len(glob.glob(homes + "/self/Maildir/new/*")) == 1
    said = b.ctl("explain", "ann@example.test").stdout
    assert f'{homes}/ann/Maildir, as "ann"' in said, said
    # S-52: what he makes of it is his; nothing else is written to.
    shutil.rmtree(homes + "/ann/Maildir")
    os.symlink("/etc", homes + "/ann/Maildir")
    b.send(SENDER, ["ann@example.test"], TEXT.format("x"))
    assert "dsn=4.2.0" in b.deferred("cannot deliver to Maildir")
    os.unlink(homes + "/ann/Maildir")
    for name in ("tmp", "new"):
        os.makedirs(homes + "/ann/Maildir", exist_ok=True)
        os.symlink("/root", f"{homes}/ann/Maildir/{name}")
        os.chown(homes + "/ann/Maildir", UID + 1, UID + 1)
        before = b.log().count("cannot deliver to Maildir")
        wait_for("another failure", lambda n=before: b.ctl("queue", "flush") and
                 b.log().count("cannot deliver to Maildir") > n)
        os.unlink(f"{homes}/ann/Maildir/{name}")
    b.ctl("queue", "flush")
    b.empty()
    assert len(glob.glob(homes + "/ann/Maildir/new/*")) == 1 and os.listdir(homes + "/ann/Maildir/tmp") == []


def two_systems(homes):
    """S-43: the .forward of an account here leads to one there, and that back: one report, and nobody has it twice."""
    def towards(domain, port, sink):
        return 'recipients { mailboxes = {"file", "system"} }\nqueue { retry = {1s} }\n' + \
            upstream("peer", ("127.0.0.1", port, 'tls = "off"')) + route(domain, "peer") + \
            upstream("far", ("127.0.0.1", sink.port, 'tls = "off"')) + route("*", "far")
    with Sink() as sink:
        a = Barid(hostname="mx.a.test", domain="a.test", start=False)
        b = Barid(hostname="mx.b.test", domain="b.test", start=False)
        for s in (a, b):
            os.chmod(s.dir, 0o755)
        a.write_conf(towards("b.test", b.port["smtp"], sink))
        b.write_conf(towards("a.test", a.port["smtp"], sink))
        # Each has both accounts: it is the domain that says whose .forward counts.
        write(homes + "/here", "there@b.test\n")
        write(homes + "/there", "here@a.test\n")
        with a.start(), b.start():
            a.send("c@far.example", ["here@a.test"], TEXT.format("around"))
            report, = sink.messages(1)
            for s in (a, b, a, b):
                s.empty()
            assert len(sink.messages()) == 1 and report["mail"]["path"] == "", report
            assert [r["path"] for r in report["rcpts"]] == ["c@far.example"], report
            told = " ".join(report["text"].decode().split())
            assert "554 5.4.6 <here@a.test>: The message was forwarded by this address already" in told, told
            for s in (a, b):
                assert s.mailbox("here") == s.mailbox("there") == []
                assert s.log().count("(queue active)") <= 2, s.log()
                wait_for("the audit to close", lambda s=s: s.ctl("audit", check=False).returncode == 0)


def main():
    homes = alone(ACCOUNTS + CROWD)
    try:
        w = World(homes)
        with w.b:
            w.b.start()
            for test in (works, loops, unbelieved, full, kills, fair, crowd, maildirs):
                test(w, homes)
                print(test.__name__, flush=True)
        two_systems(homes)
    finally:
        over(homes)


main()
