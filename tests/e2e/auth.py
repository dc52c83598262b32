# SPDX-License-Identifier: GPL-3.0-or-later
"""Who may log in: real PAM and the password file, by SMTP and POP3, with backends that hang, crash and go away.

FEATURES A8, A14, O9.
"""
import base64
import contextlib
import glob
import os
import signal
import subprocess
import sys
import tempfile

sys.path.insert(0, os.environ["BARID_SRC"] + "/tests/tools")
from authtest import at_once  # noqa: E402
from baridtest import Barid, PASSWORD, ROOT, Wire, wait_for  # noqa: E402

# Passwords that stand in no other line of the log.
SECRET, WRONG = "sesame-4711", "guess-0815"

# A module that misbehaves as its argument says; a real one, loaded by PAM.
RUDE = r"""
#include <security/pam_modules.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
int pam_sm_authenticate(pam_handle_t *h, int flags, int argc, const char **argv)
{
	const char *user = "";
	(void)flags;
	(void)pam_get_user(h, &user, 0);
	if (argc < 1)
		return PAM_SERVICE_ERR;
	if (!strcmp(argv[0], "crash"))
		abort();
	if (!strcmp(argv[0], "exit"))
		exit(0);
	while (!strcmp(argv[0], "hang") && !access(argv[1], 0))
		usleep(10000);
	return PAM_AUTH_ERR;
}
int pam_sm_setcred(pam_handle_t *h, int flags, int argc, const char **argv)
{
	(void)h, (void)flags, (void)argc, (void)argv;
	return PAM_SUCCESS;
}
"""


def b64(*parts):
    return base64.b64encode("\0".join(parts).encode("utf-8", "surrogateescape")).decode()


class Test:
    """A barid with one PAM service, which each test writes, and a file behind it."""

    def __init__(self, folder):
        self.folder = folder
        self.pam = folder + "/pam.d"
        os.mkdir(self.pam)
        self.allow_all()
        self.b = None

    def service(self, text, name="barid"):
        tmp = f"{self.pam}/.tmp"
        with open(tmp, "w") as f:
            f.write(text)
        os.rename(tmp, f"{self.pam}/{name}")

    def allow_all(self):
        self.service("auth required pam_permit.so\naccount required pam_permit.so\n")

    def script(self, text, name="check"):
        path = f"{self.folder}/{name}"
        with open(path, "w") as f:
            f.write("#!/bin/sh\np=$(tr -d '\\000')\n" + text)
        os.chmod(path, 0o755)
        # pam_exec calls a program's "no" an error of the system.
        self.service(f"auth [success=1 default=ignore] pam_exec.so expose_authtok quiet {path}\n"
                     "auth requisite pam_deny.so\nauth required pam_permit.so\n"
                     "account required pam_permit.so\n")

    def log_has_no_secret(self):
        for text in (self.b.log(), self.b.errors()):
            for secret in (SECRET, WRONG, b64("", "alice", SECRET), b64(SECRET), b64("", "alice", WRONG)):
                assert secret not in text, text[max(text.find(secret) - 200, 0):][:400]


# ---- one login by each way that there is; the answer without its number ------------


def leave(w, answer):
    """The mailbox is free when the connection ends."""
    w.cmd("QUIT")
    assert w.line() is None
    return answer


def pop3_user(b, user, password):
    with Wire(b.port["pop3s"], True) as w:
        w.line()
        assert w.cmd(f"USER {user}").startswith(b"+OK")
        return leave(w, w.cmd(f"PASS {password}"))


def pop3_plain(b, user, password):
    with Wire(b.port["pop3s"], True) as w:
        w.line()
        return leave(w, w.cmd("AUTH PLAIN " + b64("", user, password)))


def smtp_plain(b, user, password):
    with Wire(b.port["submissions"], True) as w:
        w.reply()
        w.smtp("EHLO client.test")
        return w.smtp("AUTH PLAIN " + b64("", user, password))


def smtp_login(b, user, password):
    with Wire(b.port["submissions"], True) as w:
        w.reply()
        w.smtp("EHLO client.test")
        w.smtp("AUTH LOGIN")
        w.smtp(b64(user))
        return w.smtp(b64(password))


WAYS = (pop3_user, pop3_plain, smtp_plain, smtp_login)
YES = {pop3_user: b"+OK ", pop3_plain: b"+OK ", smtp_plain: b"235 2.7.0 ", smtp_login: b"235 2.7.0 "}
NO = {pop3_user: b"-ERR [AUTH] ", pop3_plain: b"-ERR [AUTH] ", smtp_plain: b"535 5.7.8 ",
      smtp_login: b"535 5.7.8 "}
LATER = {pop3_user: b"-ERR [SYS/TEMP] ", pop3_plain: b"-ERR [SYS/TEMP] ", smtp_plain: b"454 4.7.0 ",
         smtp_login: b"454 4.7.0 "}


def expect(b, want, user, password, ways=WAYS):
    """The same answer by every way.  One user's mailbox has one session: by POP3 one after the other."""
    def one(way):
        got = way(b, user, password)
        assert got is not None and got.startswith(want[way]), (way.__name__, user[:80], password[:80], got)
    if want is YES:
        for way in ways:
            one(way)
    else:
        at_once(*((lambda w=w: one(w)) for w in ways))


# ---- the tests ------------------------------------------------------------------------


def answers(t):
    expect(t.b, YES, "alice", SECRET)
    t.service("auth required pam_deny.so\naccount required pam_permit.so\n")
    expect(t.b, NO, "alice", WRONG)
    # The password was right; the account has expired, or its password has.
    for why in ("acct_expired", "new_authtok_reqd", "perm_denied"):
        t.service(f"auth required pam_permit.so\naccount required pam_debug.so acct={why}\n")
        expect(t.b, NO, "alice", SECRET)
    t.service("auth required pam_debug.so auth=authinfo_unavail\naccount required pam_permit.so\n")
    expect(t.b, LATER, "alice", SECRET)
    t.service("auth required pam_there_is_none.so\naccount required pam_permit.so\n")
    for way in WAYS:
        assert not way(t.b, "alice", SECRET).startswith(YES[way])
    os.unlink(t.pam + "/barid")
    expect(t.b, LATER, "alice", SECRET)
    t.allow_all()
    # Empty passwords and names are refused, even by a service that permits everything.
    expect(t.b, NO, "alice", "", (pop3_plain, smtp_plain, smtp_login))
    expect(t.b, NO, "", SECRET, (pop3_plain, smtp_plain, smtp_login))
    t.log_has_no_secret()


def a_script(t):
    """PAM sees the user, the password and the client; the domain is not part of the name."""
    t.script('echo "$PAM_USER $PAM_RHOST $PAM_SERVICE" >>' + t.folder + "/seen\n"
             f'[ "$PAM_USER" = alice ] && [ "$p" = "{SECRET}" ]\n')
    expect(t.b, YES, "alice", SECRET)
    expect(t.b, YES, "alice@example.test", SECRET)
    expect(t.b, NO, "alice", WRONG)
    expect(t.b, NO, "alice@elsewhere.test", SECRET)
    expect(t.b, NO, "bob", SECRET)
    seen = set(t.b.read(t.folder + "/seen").split("\n"))
    assert seen == {"alice 127.0.0.1 barid", "alice@elsewhere.test 127.0.0.1 barid",
                    "bob 127.0.0.1 barid", ""}, seen
    # CONFORMANCE S-65: names and passwords that are none reach no module.
    os.unlink(t.folder + "/seen")
    for user, password in (("al\nice", SECRET), ("al\0ice", SECRET), ("alice", f"{SECRET}\0"), ("\t", SECRET),
                           ("x" * 256, SECRET)):
        for way in (pop3_plain, smtp_plain):
            answer = way(t.b, user, password)
            assert not answer.startswith(YES[way]) and not answer.startswith(LATER[way]), (user, answer)
    assert not os.path.exists(t.folder + "/seen"), t.b.read(t.folder + "/seen")
    # Long, and any octets: PAM is asked and says no.
    for password in ("p" * 1000, "p\u00e4\u00df", "p\udcff\udc80"):
        expect(t.b, NO, "alice", password, (pop3_plain,))
    t.log_has_no_secret()


def matrix(t):
    """pam_matrix of libpam-wrapper, a module with users and passwords, where it is installed."""
    found = glob.glob("/usr/lib/*/pam_wrapper/pam_matrix.so")
    if not found:
        print("no pam_matrix.so: not tried")
        return
    module = found[0]
    db = t.folder + "/passdb"
    with open(db, "w") as f:
        os.fchmod(f.fileno(), 0o600)
        f.write(f"alice:{SECRET}:barid\nbob:{SECRET}:another-service\n")
    t.service(f"auth required {module} passdb={db}\naccount required {module} passdb={db}\n")
    expect(t.b, YES, "alice", SECRET)
    expect(t.b, NO, "alice", WRONG)
    assert not pop3_plain(t.b, "bob", SECRET).startswith(b"+OK")
    assert not smtp_plain(t.b, "nobody-there", SECRET).startswith(b"235")


def system(t):
    """pam_unix: accounts of this host that are locked, and names that are none."""
    t.service("auth required pam_unix.so nodelay\naccount required pam_unix.so\n")
    for user in ("nobody", "daemon", "no-such-account"):
        for way in (pop3_user, smtp_plain):
            assert not way(t.b, user, WRONG).startswith(YES[way])


def hanging(t):
    """CONFORMANCE S-65: a module that hangs, crashes or ends the process takes nobody with it."""
    module = t.folder + "/pam_rude.so"
    source = t.folder + "/pam_rude.c"
    with open(source, "w") as f:
        f.write(RUDE)
    cc = os.environ.get("CC") or "cc"
    subprocess.run(cc.split() + ["-shared", "-fPIC", "-o", module, source, "-lpam"], check=True)
    flag = t.folder + "/hang"
    open(flag, "w").close()
    t.service(f"auth required {module} hang {flag}\naccount required pam_permit.so\n")
    stuck = []
    for _ in range(10):
        w = Wire(t.b.port["pop3s"], True)
        w.line()
        assert w.cmd("USER alice").startswith(b"+OK")
        w.send("PASS " + SECRET + "\r\n")
        stuck.append(w)
    # The module is in use by ten; for all others it is another one.
    wait_for("ten workers", lambda: len(workers(t)) == 10)
    t.allow_all()
    hang = set(workers(t))
    expect(t.b, YES, "bob", SECRET)
    assert hang <= set(workers(t)), "somebody waited for their end"
    os.unlink(flag)
    for w in stuck:
        assert w.line().startswith(b"-ERR [AUTH]")
        w.close()
    wait_for("the workers' end", lambda: not workers(t))
    for how in ("crash", "exit"):
        t.service(f"auth required {module} {how}\naccount required pam_permit.so\n")
        expect(t.b, LATER, "alice", SECRET)
    wait_for("a word about it", lambda: "died of signal 6" in t.b.log())
    t.allow_all()
    expect(t.b, YES, "alice", SECRET)


def helper(t):
    """The process id of barid-auth."""
    for line in t.b.ctl("status").stdout.split("\n"):
        if line.startswith("helper barid-auth"):
            return int(line.rpartition("pid=")[2])
    raise AssertionError("barid-auth is not in the status")


def children(t):
    """Of barid-auth: the broker, then the workers."""
    auth = helper(t)
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        _, _, rest = t.b.read(f"/proc/{pid}/stat").rpartition(")")
        if rest.split()[1:2] == [str(auth)]:
            found.append(int(pid))
    return sorted(found)


def workers(t):
    """Those that are at the module that hangs; the others are idle."""
    return [pid for pid in children(t) if "pam_rude" in t.b.read(f"/proc/{pid}/maps")]


def killed(t):
    """N-17: barid-auth dies: who waits is told to come again, and then it is there again."""
    flag = t.folder + "/hang"
    open(flag, "w").close()
    t.service(f"auth required {t.folder}/pam_rude.so hang {flag}\naccount required pam_permit.so\n")
    with contextlib.ExitStack() as stack:
        p = stack.enter_context(Wire(t.b.port["pop3s"], True))
        p.line()
        assert p.cmd("USER alice").startswith(b"+OK")
        p.send("PASS " + SECRET + "\r\n")
        s = stack.enter_context(Wire(t.b.port["submissions"], True))
        s.reply()
        s.smtp("EHLO client.test")
        s.send("AUTH PLAIN " + b64("", "alice", SECRET) + "\r\n")
        wait_for("two workers", lambda: len(workers(t)) == 2)
        auth, two = helper(t), workers(t)
        assert len(two) == 2
        for pid in (auth, *two):
            # The workers may have ended with it.
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        assert p.line().startswith(b"-ERR [SYS/TEMP]")
        assert s.reply().startswith(b"454 4.7.0")
        t.allow_all()
        wait_for("another barid-auth", lambda: helper(t) not in (0, auth))
        # The same sessions go on.
        assert p.cmd("USER alice").startswith(b"+OK")
        assert p.cmd("PASS " + SECRET).startswith(b"+OK")
        assert s.smtp("AUTH PLAIN " + b64("", "alice", SECRET)).startswith(b"235")
    os.unlink(flag)
    # Stopped, it answers late and not never.
    auth = helper(t)
    os.kill(auth, signal.SIGSTOP)
    with Wire(t.b.port["pop3s"], True) as p:
        p.line()
        assert p.cmd("USER alice").startswith(b"+OK")
        p.send("PASS " + SECRET + "\r\n")
        os.kill(auth, signal.SIGCONT)
        assert p.line().startswith(b"+OK")


def many(t):
    """50 logins at once, right and wrong ones, of users of whom each has a mailbox of its own."""
    t.script(f'[ "$p" = "{SECRET}" ]\n')

    def one(i):
        way = WAYS[i % len(WAYS)]
        got = way(t.b, f"user{i}", SECRET if i % 5 else WRONG)
        want = YES if i % 5 else NO
        assert got is not None and got.startswith(want[way]), (i, got)
    at_once(*((lambda i=i: one(i)) for i in range(50)))


def broken_exchanges(t):
    """CONFORMANCE S-23: broken exchanges end no other login."""
    bad = ["AUTH PLAIN =", "AUTH PLAIN *", "AUTH PLAIN A", "AUTH PLAIN AA=A", "AUTH PLAIN ====",
           "AUTH PLAIN " + b64("", "", ""), "AUTH PLAIN " + b64("", "a", "b", "c")]

    def rude():
        with Wire(t.b.port["pop3s"], True) as w:
            w.line()
            for text in bad:
                answer = w.cmd(text)
                assert answer.startswith(b"-ERR"), (text, answer)

    def good(i):
        for way in (pop3_plain, smtp_plain):
            got = way(t.b, f"user{i}", SECRET)
            assert got.startswith(YES[way]), got
    at_once(*([rude] * 5 + [(lambda i=i: good(i)) for i in range(15)]))


def the_file():
    """A file:// backend: what changes counts at once, and without it nobody is told no."""
    with Barid() as b:
        expect(b, YES, "alice", PASSWORD)
        expect(b, NO, "alice", WRONG)
        b.set_users(("alice", "carol"), SECRET)
        expect(b, YES, "alice", SECRET)
        expect(b, NO, "alice", PASSWORD)
        expect(b, NO, "bob", PASSWORD)
        expect(b, YES, "carol", SECRET)
        r = b.ctl("passwd", "mary-ann", input=SECRET + "\n")
        assert "added" in r.stdout, r
        expect(b, YES, "mary-ann", SECRET)
        for name in ("alice@example.test", "-x", ".x", "a/b", "a b", "a:b", "", "x" * 65):
            assert b.ctl("passwd", "--", name, input=SECRET + "\n", check=False).returncode == 65, name
        b.ctl("passwd", "mary-ann", input="another one\n")
        expect(b, NO, "mary-ann", SECRET)
        expect(b, YES, "mary-ann", "another one")
        b.ctl("passwd", "-d", "mary-ann")
        expect(b, NO, "mary-ann", "another one")
        # A link to it stays one.
        os.rename(b.dir + "/users", b.dir + "/gone")
        os.symlink("gone", b.dir + "/users")
        b.ctl("passwd", "mary-ann", input=SECRET + "\n")
        expect(b, YES, "mary-ann", SECRET)
        assert os.path.islink(b.dir + "/users")
        os.unlink(b.dir + "/users")
        expect(b, LATER, "alice", SECRET)
        os.mkdir(b.dir + "/users")
        expect(b, LATER, "alice", SECRET)
        os.rmdir(b.dir + "/users")
        os.rename(b.dir + "/gone", b.dir + "/users")
        expect(b, YES, "alice", SECRET)
        for text in (b.log(), b.errors()):
            assert SECRET not in text and WRONG not in text and "$6$" not in text
        assert "pam_" not in b.log()


def no_backend_is_asked_in_clear(t):
    """CONFORMANCE S-05."""
    t.script("touch " + t.folder + "/asked\n")
    with Wire(t.b.port["pop3"]) as w:
        w.line()
        for text in ("USER alice", "PASS " + SECRET, "AUTH PLAIN " + b64("", "alice", SECRET)):
            assert w.cmd(text).startswith(b"-ERR [AUTH]")
    for name in ("smtp", "submission"):
        with Wire(t.b.port[name]) as w:
            w.reply()
            w.smtp("EHLO client.test")
            assert w.smtp("AUTH PLAIN " + b64("", "alice", SECRET))[:4] in (b"538 ", b"530 ")
    assert not os.path.exists(t.folder + "/asked")


def main():
    the_file()
    with tempfile.TemporaryDirectory(prefix="barid-auth-") as folder:
        os.chmod(folder, 0o755)
        t = Test(folder)
        conf = f'pam://barid?confdir={t.pam}"}} cache = 0s'
        extra = 'limits { connections-per-address = 200 }\n'
        with Barid(start=False, extra=extra) as t.b:
            with open(t.b.conf) as f:
                text = f.read().replace(f'file://{t.b.dir}/users"}}', conf)
            with open(t.b.conf, "w") as f:
                f.write(text)
            t.b.start()
            answers(t)
            a_script(t)
            matrix(t)
            if ROOT:
                system(t)
            hanging(t)
            killed(t)
            many(t)
            broken_exchanges(t)
            no_backend_is_asked_in_clear(t)
            t.log_has_no_secret()


main()
