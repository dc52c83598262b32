# SPDX-License-Identifier: GPL-3.0-or-later
"""Programs and files that aliases lead to: who runs and writes what, what goes wrong, and what is refused (S-31, S-52)."""
import email
import glob
import os
import pwd
import re
import signal
import sys

sys.path.insert(0, os.environ["BARID_SRC"] + "/tests/tools")
from baridtest import ROOT, USER, Barid, wait_for  # noqa: E402

SENDER = "alice@example.test"
WHO = "bin" if ROOT else USER
TEXT = "From: alice@example.test\r\nSubject: {}\r\n\r\nFrom here on\r\nhello\r\n"


class World:
    """A barid with the file DIR/aliases; what its programs and files leave is in the folder "out"."""

    def __init__(self, text, **keep):
        self.b = b = Barid(start=False, **keep)
        self.out = b.dir + "/out"
        os.mkdir(self.out)
        os.chmod(self.out, 0o777)
        os.chmod(b.dir, 0o755)
        self.path = b.dir + "/aliases"
        self.write(text)
        b.write_conf(f'aliases = {{"{self.path}"}}\nrecipients {{ run-as = "{WHO}" }}\nqueue {{ retry = {{1h}} }}\n' + b.extra)

    def write(self, text, path=None):
        path = path or self.path
        with open(path + ".new", "w", encoding="utf-8") as f:
            f.write(text.replace("OUT", self.out).replace("DIR", self.b.dir))
        os.rename(path + ".new", path)

    def file(self, name):
        """What is in a file, once it has its end."""
        wait_for(name, lambda: os.path.exists(f"{self.out}/{name}"))
        with open(f"{self.out}/{name}", encoding="utf-8") as f:
            return f.read()

    def send(self, name, subject="x"):
        self.b.send(SENDER, [f"{name}@example.test"], TEXT.format(subject))

    def __enter__(self):
        self.b.start()
        return self

    def __exit__(self, *exc):
        self.b.__exit__(*exc)


ALIASES = """
plain:  |/bin/cp /dev/stdin OUT/plain
shell:  "|env >OUT/env; id -u >OUT/uid; cat >OUT/text"
nested: shell
all:    "|cat >>OUT/all", bob, OUT/box, OUT/dir/
void:   /dev/null
no:     "|echo nobody here; exit 67"
later:  "|exit 75"
box:    OUT/box
dir:    OUT/dir/
link:   OUT/link
twice:  OUT/twice
exe:    OUT/exe
folder: OUT/folder
bob+off: bob
"""


def runs():
    with World(ALIASES) as w:
        b = w.b
        w.send("plain")
        b.empty()
        text = w.file("plain")
        assert text.startswith(f"Return-Path: <{SENDER}>\nDelivered-To: plain@example.test\nReceived: "), text
        assert text.endswith("\n\nFrom here on\nhello\n"), text
        w.send("nested+x")
        b.empty()
        env = dict(line.split("=", 1) for line in w.file("env").splitlines())
        # The alias that has it, as the recipient that others lead to.
        assert env["SENDER"] == SENDER and env["RECIPIENT"] == "shell@example.test" and env["LOCAL"] == "shell", env
        assert env["LOGNAME"] == WHO and env["HOME"] == pwd.getpwnam(WHO).pw_dir and env["DOMAIN"] == "example.test", env
        assert w.file("uid").strip() == str(pwd.getpwnam(WHO).pw_uid) and "hello" in w.file("text")
        w.send("shell+x")
        b.empty()
        env = dict(line.split("=", 1) for line in w.file("env").splitlines())
        assert env["RECIPIENT"] == "shell+x@example.test" and env["EXTENSION"] == "x", env
        w.send("void")
        b.empty()
        log = b.log()
        assert re.search(r"to=<void@example\.test>, relay=pipe, .*status=sent \(delivered to file: /dev/null\)", log), log[-2000:]
        assert "status=sent (delivered to command: /bin/cp /dev/stdin" in log
        w.send("no")
        report = b.mail("alice", 1)[0].decode()
        assert "5.1.1" in report and "nobody here" in report, report
        w.send("later")
        assert "dsn=4.3.0" in b.deferred("temporary failure")
        said = b.ctl("explain", "all@example.test").stdout
        assert "cat >>" in said and f'as "{WHO}"' in said and f"{w.out}/box" in said, said


def files():
    """Each of a list gets its copy once, into a file, a Maildir, a program and a mailbox."""
    with World(ALIASES) as w:
        b = w.b
        for n in range(3):
            w.send("all", f"number {n}")
        b.empty()
        assert len(b.mail("bob", 3)) == 3
        assert w.file("all").count("Subject: number") == 3
        box = w.file("box")
        assert box.startswith(f"From {SENDER}  ") and len(re.findall(r"^From ", box, re.M)) == 3, box
        assert box.count("\n\n>From here on\nhello\n\n") == 3 and not os.path.exists(w.out + "/box.lock"), box
        # Others read it, too.
        import mailbox
        assert sorted(m["Subject"] for m in mailbox.mbox(w.out + "/box")) == ["number 0", "number 1", "number 2"]
        new = glob.glob(w.out + "/dir/new/*")
        assert len(new) == 3 and all(os.stat(p).st_uid == pwd.getpwnam(WHO).pw_uid for p in new), new
        assert "\nFrom here on\n" in b.read(new[0])
        assert oct(os.stat(w.out + "/box").st_mode & 0o777) == "0o600"


def refused():
    """S-52: no link is followed, no file with two names, no program and no folder is written to."""
    with World(ALIASES) as w:
        b = w.b
        mine = w.b.dir + "/mine"
        with open(mine, "w", encoding="utf-8") as f:
            f.write("as it was")
        os.chmod(mine, 0o666)
        os.symlink(mine, w.out + "/link")
        os.link(mine, w.out + "/twice")
        with open(w.out + "/exe", "w", encoding="utf-8"):
            os.chmod(w.out + "/exe", 0o777)
        os.mkdir(w.out + "/folder")
        for name, words in (("link", "it is a symbolic link"), ("twice", "it has more than one name"),
                            ("exe", "it can be executed"), ("folder", "[Ii]s a directory")):
            w.send(name)
            wait_for(name, lambda n=name, s=words: re.search(rf"to=<{n}@.*dsn=4\.2\.0, status=deferred.*{s}", b.log()))
        assert b.read(mine) == "as it was"
        # Whoever has it locked is waited for.
        b.ctl("queue", "delete", "--all")
        with open(w.out + "/box.lock", "w", encoding="utf-8"):
            pass
        w.send("box")
        wait_for("its worker", lambda: os.path.exists(w.out + "/box"))
        assert w.file("box") == ""
        os.unlink(w.out + "/box.lock")
        wait_for("it", lambda: "hello" in w.file("box"))
        called_off(w)
        # What is mended counts, and what is gone is not run.
        w.write(ALIASES.replace("exit 75", "exit 0"))
        w.send("later", "mended")
        # The runner reads the files every other second; until then the mail waits.
        wait_for("the mended one", lambda: b.ctl("queue", "flush") and "delivered to command: exit 0" in b.log())


def called_off(w):
    """A lock that does not go keeps nobody, and what was asked for twice is there once."""
    b, lock = w.b, w.out + "/box.lock"

    def workers():
        stats = {p: b.read(f"/proc/{p}/stat") for p in b.processes()}
        return {p for p, s in stats.items() if "(barid-spawn) S" in s and int(s.rpartition(")")[2].split()[1]) in
                [q for q in stats if "(barid-spawn) " in stats[q]]}

    b.empty()
    with open(lock, "x", encoding="utf-8"):
        pass
    w.send("box", "called off")
    first = wait_for("a worker", workers)
    # Whoever asked is gone, and asks again by another.
    for pid in b.runners():
        os.kill(pid, signal.SIGKILL)
    wait_for("the end of the first", lambda: not first & set(b.processes()))
    second = wait_for("a second worker", lambda: b.ctl("queue", "flush", check=False) and workers())
    # That of barid-spawn, as it ends.
    for pid in second:
        os.kill(pid, signal.SIGTERM)
    wait_for("the end of the second", lambda: not second & set(b.processes()))
    os.unlink(lock)
    wait_for("it", lambda: b.ctl("queue", "flush") and "called off" in w.file("box"))
    b.empty()
    assert w.file("box").count("Subject: called off") == 1, w.file("box")


def owners():
    """A file of aliases that is another's: his are the programs; and without an account there are none."""
    if not ROOT:
        return
    games = pwd.getpwnam("games")
    with World("mine: :include:DIR/list\n") as w:
        b = w.b
        w.write('"|id -u >OUT/uid"\n', b.dir + "/list")
        os.chown(b.dir + "/list", games.pw_uid, games.pw_gid)
        wait_for("the list", lambda: "OUT" not in b.ctl("explain", "mine@example.test").stdout)
        extra = b.extra
        # Also where those of root's files are barid's own.
        for run_as in (WHO, USER):
            b.write_conf(extra.replace(f'run-as = "{WHO}"', f'run-as = "{run_as}"'))
            b.reload()
            w.send("mine")
            # The runner sees a new file within two seconds, and what came before that waits.
            wait_for("the program", lambda: not b.spooled() or not b.ctl("queue", "flush"))
            assert w.file("uid").strip() == str(games.pw_uid), run_as
            assert 'as "games"' in b.ctl("explain", "mine@example.test").stdout
            os.unlink(w.out + "/uid")
        b.write_conf(extra.replace(f'run-as = "{WHO}"', 'run-as = ""'))
        old = set(b.runners())
        b.reload()
        wait_for("other runners", lambda: b.runners() and not old & set(b.runners()))
        w.send("mine")
        assert "mail to a command is restricted" in b.mail("alice", 1)[0].decode()


def main():
    runs()
    files()
    refused()
    owners()


main()
