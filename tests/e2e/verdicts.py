# SPDX-License-Identifier: GPL-3.0-or-later
"""Whole messages and the whole verdict on each: verdicts.tbl has them, verdicts.zone what DNS says.

FEATURES C4, C6, F17, S2, S3, T1, T2, T4; RFC 7208, 6376, 8617, 8601, 9989.  Each is signed, sealed and changed as its
line says, by software of others, comes in by SMTP, and all that is made of it is held against the line: every result in
Authentication-Results, the reply, and what else stands in its header.  Of some, `baridctl explain` has to say the same.
"""
import base64
import email
import json
import os
import re
import shlex
import subprocess
import sys
import tempfile

sys.path.insert(0, os.environ["BARID_SRC"] + "/tests/tools")
from baridtest import Barid, Names, Sink, Wire, need, route, run, upstream, wait_for  # noqa: E402
from dkimtest import make_key_for_others  # noqa: E402
from scantest import EICAR, GTUBE, Clamd, Spamd  # noqa: E402

# Debian's own, which has dkim.
PYTHON = "/usr/bin/python3"
BY_PYTHON = r"""
import base64, dkim, json, sys
def one(j):
    m, key = base64.b64decode(j["message"]), open(j["key"], "rb").read()
    d, s = j["domain"].encode(), j["selector"].encode()
    if j["do"] == "sign":
        f = dkim.sign(m, s, d, key, canonicalize=[c.encode() for c in j["form"].split("/")], signature_algorithm=j["algorithm"].encode(),
                      length="l" in j, identity=j["i"].encode() if "i" in j else None,
                      include_headers=[h.encode() for h in j["h"].split(":")] if "h" in j else None)
        return base64.b64encode(f + m).decode()
    for n in range(int(j.get("n", 1))):
        # RFC 8617 5.1: what the sealer found of the message.
        arc = b"none" if b"ARC-Seal:" not in m else j.get("cv", "pass").encode()
        found = b"Authentication-Results: mx." + d + b"; arc=" + arc + b"; dmarc=" + j.get("dmarc", "pass").encode() + b" header.from=x\r\n"
        m = b"".join(dkim.arc_sign(found + m, s, d, key, b"mx." + d)) + m
    return base64.b64encode(m).decode()
print(json.dumps([one(j) for j in json.load(sys.stdin)]))
"""
BY_PERL = r"""
use Mail::DKIM::Signer; use Mail::DKIM::Signature; use Mail::DKIM::ARC::Signer; use JSON::PP; use MIME::Base64;
sub one {
    my $j = shift;
    my $m = decode_base64($j->{message});
    if ($j->{do} eq "sign") {
        my $s = Mail::DKIM::Signer->new(Policy => sub {
            my $d = shift;
            my $f = Mail::DKIM::Signature->new(Algorithm => "rsa-sha256", Method => $j->{form}, Headers => $d->headers, Domain => $j->{domain}, Selector => $j->{selector});
            $f->timestamp($j->{t}) if $j->{t};
            $f->expiration($j->{x}) if $j->{x};
            $d->add_signature($f);
            return 0;
        }, Algorithm => "rsa-sha256", KeyFile => $j->{key}, Domain => $j->{domain}, Selector => $j->{selector});
        $s->PRINT($m); $s->CLOSE();
        return encode_base64(join("\r\n", map { $_->as_string } $s->signatures) . "\r\n" . $m, "");
    }
    for my $n (1 .. ($j->{n} || 1)) {
        my $arc = $m =~ /^ARC-Seal:/m ? "pass" : "none";
        my $s = Mail::DKIM::ARC::Signer->new(Algorithm => "rsa-sha256", Domain => $j->{domain}, SrvId => "mx.$j->{domain}", Selector => $j->{selector}, KeyFile => $j->{key}, Chain => "ar");
        $s->PRINT("Authentication-Results: mx.$j->{domain}; arc=$arc; dmarc=pass header.from=x\r\n$m"); $s->CLOSE();
        $m = join("\r\n", $s->as_strings) . "\r\n" . $m;
    }
    return encode_base64($m, "");
}
my $text = do { local $/; <STDIN> };
print encode_json([map { one($_) } @{decode_json($text)}]);
"""
# Of so many messages one is explained, too.
STEP = int(os.environ.get("VERDICTS_EXPLAINED", "8"))
BODIES = {"plain": "hello\r\n", "empty": "", "odd": "  a \t b\t\r\n\r\n.\r\n..\r\n\r\n", "long": "a line of text \r\n" * 20000,
          "eight": "Größe\r\n" * 3, "gtube": GTUBE + "\r\n", "eicar": EICAR + "\r\n", "hint": "something odd\r\n"}
# What stands in a line that does not say otherwise.
SENT = {"client": "192.0.2.9", "helo": "host.client.test", "mail": "b@none.test", "to": "alice@example.test", "author": "A <a@none.test>",
        "body": "plain"}
SEEN = {"iprev": ["pass"], "spf": ["none"], "helo": ["none"], "dmarc": ["none"], "arc": ["none"], "dkim": ["none"]}


class Row:
    """A line of the table: what is sent, and what is to be seen."""

    def __init__(self, number, section, line):
        self.number, self.section, self.line = number, section, line
        self.name, sent, seen = (part.strip() for part in line.split("|"))
        self.sent, self.ops = dict(SENT), []
        for word in shlex.split(sent):
            word = word.replace("\\r\\n", "\r\n").replace("\\t", "\t")
            name, _, value = word.partition("=")
            if name in SENT:
                self.sent[name] = value
            else:
                self.ops.append((name, value))
        self.seen, self.reply, self.fields, self.hidden, self.unchecked = dict(SEEN), None, [], False, False
        for word in shlex.split(seen):
            name, _, value = word.partition("=")
            if word[0].isdigit():
                self.reply = word
            elif name in self.seen:
                self.seen[name] = value.split(",") if value else []
            elif name in ("hidden", "unchecked"):
                setattr(self, name, True)
            else:
                self.fields.append((name, value))
        self.id = f"row-{number}@table.test"
        self.text = self.message()
        self.said = []

    def message(self):
        author = self.sent["author"]
        head = "".join(f"From: {one}\r\n" for one in author.split("&&")) if author else ""
        return (head + f"To: <list@other.test>\r\nSubject: a \t row\r\n  of it\r\nDate: Sat, 21 Nov 2026 10:00:00 +0000\r\n"
                f"Message-ID: <{self.id}>\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n"
                f"Content-Transfer-Encoding: 8bit\r\n\r\n{BODIES[self.sent['body']]}").encode()

    def change(self, name, value):
        """What somebody on the way does to the text."""
        head, body = self.text.split(b"\r\n\r\n", 1)
        if name == "footer":
            body += b"-- \r\na list\r\n"
        elif name == "spoil":
            body = body.replace(b"hello", b"hallo")
        elif name == "cut":
            body = b""
        elif name == "subject":
            head = head.replace(b"Subject: a", b"Subject: [list] a")
        elif name == "from":
            head = re.sub(rb"(?m)^From: .*\r\n", b"From: " + value.encode() + b"\r\n", head)
        elif name == "head":
            head = value.encode() + b"\r\n" + head
        elif name == "sub":
            old, new = value.split("->")
            assert old.encode() in head, (self.line, head)
            head = head.replace(old.encode(), new.encode(), 1)
        elif name == "hops":
            head = b"".join(b"Received: from a%d by b; Sat, 21 Nov 2026 10:00:00 +0000\r\n" % i for i in range(int(value))) + head
        elif name == "repeat":
            first = re.match(rb"(?:[^\r]+\r\n(?=[ \t]))*[^\r]+\r\n", head)[0]
            head = first * int(value) + head
        else:
            raise AssertionError(f"{self.line}: what is {name}?")
        self.text = head + b"\r\n\r\n" + body


def read_table(path):
    """The sections, each with its configuration and rows."""
    sections, number = [], 0
    with open(path, encoding="utf-8") as f:
        for line in f.read().replace("\\\n", " ").split("\n"):
            if line.startswith("["):
                sections.append((line.strip("[]"), [], []))
            elif line.startswith(":"):
                sections[-1][1].append(line[1:].strip())
            elif line.strip() and not line.startswith("#"):
                number += 1
                sections[-1][2].append(Row(number, sections[-1][0], line))
    return sections


class Keys:
    KINDS = {"r": ("rsa", 2048), "e": ("ed25519", 0), "small": ("rsa", 768), "mid": ("rsa", 1024)}
    # Selectors whose key is r, but whose record is another.
    RECORDS = {"revoked": "v=DKIM1; k=rsa; p=", "sha1": "v=DKIM1; h=sha1; p={r}", "test": "v=DKIM1; t=y; p={r}", "strict": "v=DKIM1; t=s; p={r}",
               "other": "v=DKIM1; s=other; p={r}", "crossed": "v=DKIM1; k=ed25519; p={r}", "junk": "v=DKIM1; p=QUFB", "bare": "p={r}",
               "v2": "v=DKIM2; p={r}", "tagged": "v=DKIM1; n=hello there; h=sha1:sha256; s=email:x; g=*; p={r}", "wrong": "v=DKIM1; p={mid}",
               "nokey": "v=DKIM1; k=rsa", "vlast": "k=rsa; p={r}; v=DKIM1", "starred": "v=DKIM1; s=*; k=rsa; t=s:y; p={r}"}

    def __init__(self, folder):
        self.folder, self.public = folder, {}
        for name, (kind, bits) in self.KINDS.items():
            self.public[name] = make_key_for_others(self.path(name), kind, bits)

    def path(self, selector):
        return f"{self.folder}/{selector if selector in self.KINDS else 'r'}.key"

    def records(self, domain):
        found = {s: f"v=DKIM1; k={kind}; p={{{s}}}" for s, (kind, _) in self.KINDS.items()}
        if domain == "good.test":
            found.update(self.RECORDS)
        for selector, text in found.items():
            text = text.format(**self.public)
            yield f"{selector}._domainkey.{domain} TXT " + " ".join(f'"{text[i:i + 200]}"' for i in range(0, len(text), 200)) + "\n"

    def zone(self, path):
        with open(path, encoding="utf-8") as f:
            lines = f.read().split("\n")
        text = "".join(line + "\n" for line in lines if not line.startswith("KEYS"))
        for domain in " ".join(line[4:] for line in lines if line.startswith("KEYS")).split():
            text += "".join(self.records(domain))
        return text + "late._domainkey.good.test SERVFAIL\ndeep.test A 192.0.2.1\n"


def job_of(row, op, keys):
    """sign=SELECTOR@DOMAIN,option=value,...; seal=DOMAIN,..."""
    name, value = op
    words = value.split(",")
    selector, _, domain = words[0].rpartition("@")
    selector = selector or "r"
    options = dict(w.partition("=")[::2] for w in words[1:])
    return {"form": "relaxed/relaxed", "by": "python", **options, "do": name, "domain": domain, "selector": selector, "key": keys.path(selector),
            "algorithm": "ed25519-sha256" if selector == "e" else "rsa-sha256", "message": base64.b64encode(row.text).decode()}


def batch(command, rows, jobs):
    if not jobs:
        return
    done = subprocess.run(command, input=json.dumps(jobs).encode(), capture_output=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr.decode()[-3000:]
    for row, text in zip(rows, json.loads(done.stdout)):
        row.text = base64.b64decode(text)


def by_opendkim(row, job):
    row.text = run("opendkim-testmsg", "-C", "-d", job["domain"], "-s", job["selector"], "-k", job["key"], data=row.text)


def by_us(b, sink, rows):
    """Ours signs what alice sends, and seals what it forwards."""
    for row, (name, _) in rows:
        if name == "ours":
            with b.smtp("submission", login="alice") as c:
                c.sendmail("alice@example.test", ["u@far.example"], row.text, ["BODY=8BITMIME"])
        else:
            said = give(b, dict(row.sent, to="away@example.test"), row.text)[-1]
            assert said.startswith("250"), (row.line, said)

    def arrived(row):
        found = [m["text"] for m in sink.messages() if f"<{row.id}>".encode() in m["text"]]
        return found[-1] if found else None
    for row, _ in rows:
        row.text = wait_for(row.line, lambda row=row: arrived(row))


def prepare(b, sink, rows, keys):
    """Carries out what lines say is done before the message comes."""
    left = {row.number: list(row.ops) for row in rows}
    while any(left.values()):
        todo = {"python": ([], []), "perl": ([], []), "us": []}
        for row in rows:
            ops = left[row.number]
            while ops and ops[0][0] not in ("sign", "seal", "ours", "forward"):
                row.change(*ops.pop(0))
            if not ops:
                continue
            op = ops.pop(0)
            if op[0] in ("ours", "forward"):
                todo["us"].append((row, op))
                continue
            job = job_of(row, op, keys)
            if job["by"] == "opendkim":
                by_opendkim(row, job)
            else:
                todo[job["by"]][0].append(row)
                todo[job["by"]][1].append(job)
        batch([PYTHON, "-c", BY_PYTHON], *todo["python"])
        batch(["perl", "-e", BY_PERL], *todo["perl"])
        if todo["us"]:
            by_us(b, sink, todo["us"])


def give(b, sent, text):
    """The replies to RCPT, and, where that is one of 250, to the end of the text."""
    with Wire(b.port["smtp"]) as w:
        assert w.reply().startswith(b"220")
        w.smtp("EHLO proxy.test")
        address = sent["client"]
        said = w.smtp("XCLIENT ADDR=" + ("IPV6:" if ":" in address else "") + address)
        if not said.startswith(b"220"):
            return [said.decode()]
        w.smtp("EHLO " + sent["helo"])
        mail = "" if sent["mail"] == "<>" else sent["mail"]
        said = w.smtp(f"MAIL FROM:<{mail}> BODY=8BITMIME" + ("" if mail.isascii() else " SMTPUTF8"))
        assert said.startswith(b"250"), (sent, said)
        said = w.smtp(f"RCPT TO:<{sent['to']}>").decode().strip()
        if not said.startswith("250"):
            return [said]
        assert w.smtp("DATA").startswith(b"354")
        w.send(re.sub(rb"(?m)^\.", b"..", text) + b".\r\n")
        return ["250", w.reply().decode().strip()]


# RFC 8601 2.2
RESULT = re.compile(r'([a-z]+)=([a-z]+)(?: \((?:domain=([^ ()]+) selector=[^ ()]+)\))?((?:\s+[a-z.-]+=(?:"(?:[^"\\]|\\.)*"|[^\s;"]+))*)\s*$')
PROP = re.compile(r'([a-z.-]+)=("(?:[^"\\]|\\.)*"|[^\s;"]+)')


def results(field):
    """What the field says, in the words of the table; every octet of it has to be what RFC 8601 allows."""
    parts = re.split(r';(?=(?:[^"]*"[^"]*")*[^"]*$)', re.sub(r"\s+", " ", field))
    assert parts[0] == "mx.example.test", field
    found = {name: [] for name in SEEN}
    for part in parts[1:]:
        m = RESULT.fullmatch(part.strip())
        assert m, (part, field)
        props = {k: v.strip('"') for k, v in PROP.findall(m[4])}
        method, value = m[1], m[2]
        if method == "spf" and "smtp.helo" in props:
            method = "helo"
        elif method == "dkim" and value != "none":
            value += "/" + props.get("header.d", "")
        elif method == "arc" and value == "pass":
            # RFC 8617 10.2 has these two for it, and no other.
            assert set(props) == {"header.oldest-pass", "smtp.remote-ip"} and re.fullmatch(r"\d+", props["header.oldest-pass"]), part
            value += "/" + m[3]
        elif method == "dmarc" and value == "fail":
            value += "/" + props["policy.dmarc"]
        found[method].append(value)
    return found


def fits(got, want):
    """The line may leave out whose it is."""
    return {m: len(got[m]) == len(want[m]) and all(g == w or g.split("/")[0] == w for g, w in zip(got[m], want[m])) for m in want}


def judge(row, text):
    """What is wrong about the message that came."""
    m = email.message_from_bytes(text)
    fields = [f for f in m.get_all("Authentication-Results", []) if re.match(r"\s*mx\.example\.test\s*(;|$)", f, re.I)]
    if row.unchecked:
        return f"it was looked at: {fields}" if fields else None
    if len(fields) != 1:
        return f"{len(fields)} fields of ours: {m.items()}"
    got = results(fields[0])
    ok = fits(got, row.seen)
    if not all(ok.values()):
        return f"{ {k: (got[k], row.seen[k]) for k in ok if not ok[k]} }: {fields[0]}"
    for name, value in row.fields:
        if name in ("tag", "untag"):
            if (m.get_all("X-Quarantine") == ["DMARC"]) != (name == "tag"):
                return f"X-Quarantine: {m.get_all('X-Quarantine')}"
        elif not any(re.search(value, re.sub(r"\s+", " ", v)) for v in m.get_all(name, ["(none)"])):
            return f"{name}: {m.get_all(name)}, not {value}"
    if not any(n == "tag" for n, _ in row.fields) and m["X-Quarantine"]:
        return "it is set apart"
    return None


def refusal(row):
    """What is wrong with the replies: "550/5.7.1@rcpt:words"; 250 where the line says nothing."""
    stage = "rcpt" if len(row.said) == 1 else "end"
    if row.reply is None:
        return None if row.said[-1].startswith("250") else f"it was refused: {row.said[-1]}"
    code, enhanced, at, words = re.fullmatch(r"(\d+)/([\d.]+)(?:@(\w+))?(?::(.*))?", row.reply).groups()
    if stage != (at or "end") or not row.said[-1].startswith(f"{code} {enhanced} ") or (words or "") not in row.said[-1]:
        return f"it was answered {row.said[-1]} at {stage}"
    return None


def play(b, rows):
    """Each is given; what is refused, then to the postmaster, who hears of everything and sees why."""
    due, wrong = {}, []
    for row in rows:
        row.said = give(b, row.sent, row.text)
        why = refusal(row)
        if why:
            wrong.append((row.line, why))
        elif row.reply is None:
            due[row.id] = row
        elif not row.hidden:
            said = give(b, dict(row.sent, to="postmaster@example.test"), row.text)[-1]
            if said.startswith("250"):
                due[row.id] = row
            else:
                wrong.append((row.line, "the postmaster does not hear of it: " + said))

    def arrived():
        found = {}
        for user in ("alice", "postmaster"):
            for path in b.mailbox(user):
                with open(path, "rb") as f:
                    text = f.read()
                m = re.search(rb"(?mi)^Message-ID: <([^>]*)>", text)
                found[m[1].decode() if m else path] = text
        return found if set(due) <= set(found) else None
    texts = wait_for("all that was taken", arrived)
    for key, row in due.items():
        why = judge(row, texts[key])
        if why:
            wrong.append((row.line, why))
    return wrong


# What explain does not know: it shows nobody the text, and there is no session whose address or header could be broken.
UNEXPLAINED = ("body=gtube", "body=eicar", "554/5.4.6", "helo=[127.0.0.1]", "a header that is no field")


def explained(b, row):
    """What baridctl explain says of the same, which is to be the same."""
    with open(b.dir + "/message", "wb") as f:
        f.write(row.text)
    sent = row.sent
    done = b.ctl("--json", "explain", "--client", sent["client"], "--helo", sent["helo"], "--from", sent["mail"], "--message",
                 b.dir + "/message", sent["to"])
    steps = [(s["step"], s["text"]) for s in json.loads(done.stdout)["steps"]]
    said = next(text for step, text in steps if step == "verdict" and text.startswith(("refused by", "no check")))
    want = "no check" if row.reply is None else ": " + " ".join(re.match(r"(\d+)/([\d.]+)", row.reply).groups()) + " "
    if want not in said:
        return f"explain: {said}"
    found = {}
    for step, text in steps:
        if not text.startswith("not looked at"):
            found.setdefault("helo" if step == "spf" and "identity=helo" in text else step if step != "helo" else "-", []).append(text)
    for method in ("iprev", "spf", "helo", "dmarc", "arc", "dkim"):
        got, wanted = [re.match(r"\w+", t)[0] for t in found.get(method, [])], [w.split("/")[0] for w in row.seen[method]]
        if method in found and got != wanted and not row.unchecked:
            return f"explain: {method} {found[method]}"
    return None


CONF = """
access {{ connect = {{"0.0.0.0/0", "::/0"}} relay = {{"198.51.100.7"}} xclient = {{"127.0.0.1"}} }}
recipient "postmaster@example.test" {{ mailbox = "postmaster" }}
recipient "away@example.test" {{ forward = {{"u@far.example"}} }}
dkim-sign "example.test" {{ selector = "r" key = "{r}" arc = true }}
dkim-sign "example.test" {{ selector = "e" key = "{e}" }}
"""


def main():
    need("perl", PYTHON, "openssl", "opendkim-testmsg")
    here = os.environ["BARID_SRC"] + "/tests/e2e/verdicts"
    sections = read_table(here + ".tbl")
    count = sum(len(rows) for _, _, rows in sections)
    assert count >= 200, count
    only = sys.argv[1:]
    with tempfile.TemporaryDirectory(prefix="barid-verdicts-") as folder, Spamd() as spamd, Clamd() as clamd, Sink() as sink:
        keys = Keys(folder)
        with Names(keys.zone(here + ".zone")) as names:
            b = Barid(users=("alice", "postmaster"), start=False)
            for name in ("r", "e"):
                os.rename(keys.path(name) + ".pem", f"{b.dir}/{name}.pem")
            base = CONF.format(r=b.dir + "/r.pem", e=b.dir + "/e.pem") + names.conf + upstream("far", sink.port) + route("far.example", "far")
            wrong = []
            with b:
                for title, conf, rows in sections:
                    if only and title not in only:
                        continue
                    b.write_conf(base + "\n".join(conf).replace("SPAMD", str(spamd.port)).replace("CLAMD", str(clamd.port)) + "\n")
                    if b.process is None:
                        b.start()
                    else:
                        b.reload()
                    prepare(b, sink, rows, keys)
                    found = play(b, rows)
                    for row in rows[::STEP]:
                        if row.sent["mail"].isascii() and not any(words in row.line for words in UNEXPLAINED) and (why := explained(b, row)):
                            found.append((row.line, why))
                    print(f"{title}: {len(rows)} messages, {len(found)} of another verdict", flush=True)
                    wrong += found
            assert not wrong, "\n".join(f"{line}\n    {why}" for line, why in wrong)


main()
