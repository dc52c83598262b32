# SPDX-License-Identifier: GPL-3.0-or-later
"""`baridctl report` reads reports in files, as others write them, and hostile ones; and can open nothing then."""
import gzip
import json
import os
import subprocess
import sys
import tempfile
import zipfile

sys.path.insert(0, os.environ["BARID_SRC"] + "/tests/tools")
import reporttest  # noqa: E402

CTL = os.environ["BARID_STAGE"] + os.environ["BARID_PREFIX"] + "/sbin/baridctl"


def report(conf, *args, data=None):
    p = subprocess.run([CTL, "-c", conf, *args], input=data, capture_output=True, timeout=60, check=False)
    return p.returncode, p.stdout.decode(), p.stderr.decode()


def expect(name, found, wanted):
    for key, value in wanted.items():
        assert found.get(key) == value, (name, key, found.get(key), value)


def main():
    with tempfile.TemporaryDirectory() as d:
        conf = d + "/barid.conf"
        with open(conf, "w", encoding="utf-8") as f:
            f.write('hostname = "mail.example.test"\nuser = "nobody"\n')

        def write(name, data):
            with open(f"{d}/{name}", "wb") as f:
                f.write(data)
            return f"{d}/{name}"

        for name, (_, text, wanted, row) in reporttest.MESSAGES.items():
            # As they come, and as programs keep mail.
            for data in (text, text.replace(b"\r\n", b"\n")):
                code, out, err = report(conf, "--json", "report", write(name, data))
                assert code == 0 and err == "", (name, code, out, err)
                found = json.loads(out)
                expect(name, found, wanted)
                assert "why" not in found
                if row is not None:
                    expect(name, found["rows"][0], row)
        for name, (text, why) in reporttest.BROKEN.items():
            code, out, err = report(conf, "--json", "report", write(name, text))
            found = json.loads(out)
            assert code == 65 and err == "" and why in found["why"], (name, code, out, err)
            assert "root:" not in out and "lollol" not in out, out
        # As they were attached, on standard input, for people.
        for data in (reporttest.XML.encode(), gzip.compress(reporttest.XML.encode()), reporttest.zipped("a.xml", reporttest.XML),
                     reporttest.zipped("a.xml", reporttest.XML, zipfile.ZIP_STORED, ("b.txt",)),
                     reporttest.XML.replace("UTF-8", "UTF-16").encode("utf-16")):
            code, out, err = report(conf, "report", data=data)
            assert code == 0 and err == "", (out, err)
            assert "an aggregate report of DMARC" in out and "org: google.com" in out and "begin: 2025-11-20T00:00:00Z" in out
            assert "source-ip=2001:db8::7 messages=3 disposition=quarantine dkim=fail spf=fail" in out
            assert 'override="forwarded arc=pass"' in out
        # Many, and what is none among them.
        code, out, err = report(conf, "report", d + "/google", d + "/none", d + "/arf", conf)
        assert code == 66 and "none: No such file" in err and out.count(": an aggregate") == 1 and out.count(": a complaint") == 1
        assert "no report\n  because: nothing in it" in out, out
        # A million records: the sums are right, some are shown.
        rows = reporttest.record(count=2) * 1000
        text = reporttest.aggregate([rows] * 280)
        code, out, _ = report(conf, "report", data=gzip.compress(text.encode(), 1))
        assert code == 0 and "messages: 560000" in out and "and 279900 more" in out, out[-300:]
        text = "<feedback>" + "<record><row><count>1</count></row></record>" * 1000000 + "</feedback>"
        code, out, _ = report(conf, "report", data=gzip.compress(text.encode(), 1))
        assert code == 0 and "messages: 1000000" in out and "and 999900 more" in out, out[-300:]
        # What is foreign does nothing to a terminal.
        code, out, _ = report(conf, "report", data=reporttest.aggregate([], org="\u202eevil&#10;x").encode())
        assert code == 0 and "\u202e" not in out and "org: \\xe2\\x80\\xaeevil x\n" in out, out


main()
