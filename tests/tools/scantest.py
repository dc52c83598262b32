# SPDX-License-Identifier: GPL-3.0-or-later
"""scantest -- servers of spam and viruses: spamd, rspamd and clamd of their own, and one that does as it is told.

Each lives in a folder of its own, with rules and signatures that are made here: none of them asks anybody.
"""
import json
import os
import shutil
import subprocess
import sys
import tempfile

from baridtest import ROOT, USER, Script, unix_listener, free_port, listening, need, wait_for

# What every one of them is to know: neither does anything.
GTUBE = "XJS*C4JDBQADN1.NSBN3*2IDNEN*GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL*C.34X"
EICAR = "X5O!P%@AP[4\\PZX54(P^)7CC)7}$EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"


def explained(b, check, text, *args, **kw):
    """What `baridctl explain` says of TEXT for alice: of CHECK, and at last."""
    with open(b.dir + "/shown", "w", encoding="utf-8") as f:
        f.write(text)
    os.chmod(b.dir + "/shown", 0o644)
    done = b.ctl("--json", "explain", "--client", "192.0.2.9", "--message", b.dir + "/shown", *args, "alice@example.test", **kw)
    steps = {s["step"]: s["text"] for s in json.loads(done.stdout)["steps"]}
    return steps[check], steps["verdict"]


def message(body="hello", header=""):
    return (f"From: Ann <a@far.test>\r\nTo: alice@example.test\r\nSubject: hi\r\nMessage-ID: <1@far.test>\r\n"
            f"Date: Sat, 21 Nov 2026 10:00:00 +0000\r\n{header}\r\n{body}\r\n")


class Server:
    """A program in a folder of its own, until it listens."""

    def __init__(self, program):
        need(program)
        self.folder = tempfile.mkdtemp(prefix=f"barid-{program}-", dir="/var/tmp")
        self.port = free_port(["127.0.0.1"])
        self.process = None

    def write(self, name, text):
        path = f"{self.folder}/{name}"
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="ascii") as f:
            f.write(text.replace("@FOLDER@", self.folder).replace("@PORT@", str(self.port)).replace("@USER@", USER))
        return path

    def start(self, *command):
        os.chmod(self.folder, 0o755)
        if ROOT:
            for d, _, names in os.walk(self.folder):
                for path in [d] + [f"{d}/{n}" for n in names]:
                    shutil.chown(path, USER)
        self.out = open(self.folder + "/out", "wb")
        self.process = subprocess.Popen(command, stdout=self.out, stderr=self.out, stdin=subprocess.DEVNULL,
                                        cwd=self.folder, env=dict(os.environ, HOME=self.folder))
        wait_for(command[0], self.is_ready, 60)

    def is_ready(self):
        assert self.process.poll() is None, self.output()
        return listening(self.port)

    def output(self):
        with open(self.folder + "/out", encoding="utf-8", errors="replace") as f:
            return f.read()

    def stop(self):
        if self.process is not None:
            self.process.terminate()
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
            self.out.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.stop()


class Spamd(Server):
    """SpamAssassin with a rule of its own and no other; it asks nobody."""

    RULES = """use_bayes 0
required_score 5.0
report_safe @SAFE@
report _SUMMARY_
add_header all Status "_YESNO_, score=_SCORE_ required=_REQD_ tests=_TESTS_ autolearn=_AUTOLEARN_ version=_VERSION_"
add_header spam Flag _YESNOCAPS_
add_header all Checker-Version SpamAssassin _VERSION_
body BARID_GTUBE /GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL/
score BARID_GTUBE 20
body BARID_ODD /something odd/
score BARID_ODD 1.5
"""

    def __init__(self, report_safe=0):
        super().__init__("spamd")
        self.write("site/local.cf", self.RULES.replace("@SAFE@", str(report_safe)))
        self.write("site/check.pre", "loadplugin Mail::SpamAssassin::Plugin::Check\nutil_rb_tld test\n")
        self.write("rules/none.cf", "")
        user = ("-u", USER) if ROOT else ()
        self.start("spamd", "-L", "-x", "-i", "127.0.0.1:" + str(self.port), "-s", "stderr", "-m", "2",
                   "-C", self.folder + "/rules", "--siteconfigpath", self.folder + "/site", "-H", self.folder, *user)

    def is_ready(self):
        # It listens before it knows its rules.
        return super().is_ready() and "spawned child" in self.output()


class Rspamd(Server):
    CONF = """options {
	url_tld = "@FOLDER@/tld"; disable_hyperscan = true; filters = ""; tempdir = "@FOLDER@";
	hs_cache_dir = "@FOLDER@"; control_socket = "@FOLDER@/control mode=0600"; pidfile = "@FOLDER@/pid";
	dns { nameserver = ["127.0.0.1:1"]; timeout = 0.1s; retransmits = 1; }
}
logging { type = "file"; filename = "@FOLDER@/log"; level = "warning"; }
actions { reject = 15; add_header = 6; greylist = 4; }
worker "normal" { bind_socket = "127.0.0.1:@PORT@"; count = 1; task_timeout = 20s; }
lua = "@FOLDER@/rules.lua";
"""
    # What a client is said to be, in the header of the question, is a rule's to see.
    RULES = """local function rule(name, score, fn)
	rspamd_config:register_symbol({ name = name, score = score, callback = fn })
	rspamd_config:set_metric_symbol({ name = name, score = score })
end
rule("BARID_ODD", 7.5, function(task) return tostring(task:get_content()):find("something odd", 1, true) ~= nil end)
rule("BARID_TOLD", 0.5, function(task)
	local from, to = task:get_from("smtp"), task:get_recipients("smtp")
	return tostring(task:get_ip()) == "192.0.2.7" and task:get_helo() == "client.test" and
	    from and from[1].addr == "a@far.test" and to and #to == 2 and to[2].addr == "bob@example.test"
end)
rspamd_config:register_symbol({ name = "BARID_EDIT", type = "postfilter", callback = function(task)
	local text = tostring(task:get_content())
	if not text:find("edit me", 1, true) then return end
	task:set_milter_reply({
		add_headers = { ["X-Plain"] = "one", ["X-Folded"] = { value = "two\\n\\tfolded", order = 1 },
		    ["X-Twice"] = { { value = "first", order = 0 }, { value = "second" } }, ["X-Evil"] = "x\\r\\nX-Injected: yes\\r\\n\\r\\nbody",
		    ["Received"] = "from nowhere", ["X-Spam-Status"] = "No", ["Bad Name"] = "x" },
		remove_headers = { ["X-Gone"] = 0, ["X-Some"] = -1, ["Received"] = 0 } })
	if text:find("new subject", 1, true) then
		task:set_metric_subject("[spam] gr\\195\\188n")
		task:set_pre_result("rewrite subject", "it is odd")
	elseif text:find("not now", 1, true) then
		task:set_pre_result("soft reject", "not now")
	end
end })
rule("BARID_GREY", 4.5, function(task) return tostring(task:get_content()):find("come again", 1, true) ~= nil end)
"""

    def __init__(self):
        super().__init__("rspamd")
        self.write("tld", "test\n")
        self.write("rules.lua", self.RULES)
        conf = self.write("rspamd.conf", self.CONF)
        user = ("-u", USER, "-g", "nogroup") if ROOT else ()
        self.start("rspamd", "-f", *user, "-c", conf)


class Clamd(Server):
    CONF = """DatabaseDirectory @FOLDER@/db
LocalSocket @FOLDER@/socket
LocalSocketMode 666
TCPSocket @PORT@
TCPAddr 127.0.0.1
Foreground yes
StreamMaxLength 1M
"""

    def __init__(self):
        super().__init__("clamd")
        self.write("db/test.ndb", f"Barid.Eicar:0:*:{EICAR.encode().hex()}\n")
        conf = self.write("clamd.conf", self.CONF + (f"User {USER}\n" if ROOT else ""))
        self.socket = self.folder + "/socket"
        self.start("clamd", "-c", conf)


class Scand(Script):
    """A server that gives the answer that ANSWER(number, what it heard so far) returns, octets or a list of pieces.

    It is asked at each piece that comes: None is to hear more, b"" to hang up.
    """

    def __init__(self, answer, path=None):
        self.answer, self.heard = answer, []
        super().__init__(unix_listener(path) if path else None)

    def accepted(self, c):
        self.heard.append(b"")
        return c, len(self.heard) - 1

    def serve(self, c, number):
        said = None
        while said is None:
            said = self.answer(number, self.heard[number])
            if said is None:
                got = c.recv(1 << 16)
                if not got:
                    break
                self.heard[number] += got
        for piece in [said] if isinstance(said, bytes) else said or []:
            c.sendall(piece)


if __name__ == "__main__":
    sys.exit("scantest is for tests to import")
