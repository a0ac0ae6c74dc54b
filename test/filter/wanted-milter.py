"""A milter on libmilter that does what the field X-Wanted asks for, and tells what it was shown.

Argument: the socket as libmilter names it.
"""
import sys
import time

import Milter


class Wanted(Milter.Base):
    def __init__(self):
        self.id = Milter.uniqueID()

    def connect(self, name, family, address):
        self.seen = ["connect %s %s" % (name, address[0] if isinstance(address, tuple) else address)]
        self.see("j", "_", "{client_addr}")
        return Milter.CONTINUE

    def see(self, *names):
        for name in names:
            self.seen.append("%s=%s" % (name, self.getsymval(name)))

    def hello(self, name):
        self.seen.append("helo %s" % name)
        return Milter.CONTINUE

    def envfrom(self, sender, *parameters):
        self.wanted = "continue"
        self.fields = []
        self.body_size = 0
        self.lines = 0
        self.seen.append(" ".join(("mail", sender) + parameters))
        self.see("i", "{mail_addr}", "{auth_authen}")
        return Milter.CONTINUE

    def envrcpt(self, recipient, *parameters):
        self.seen.append("rcpt %s" % recipient)
        self.see("{rcpt_addr}")
        if recipient.startswith("<refused@"):
            self.setreply("550", "5.1.1", "not", "here")
            return Milter.REJECT
        return Milter.CONTINUE

    @Milter.decode("bytes")
    def header(self, name, value):
        if name == "X-Wanted":
            self.wanted = value.decode()
        self.fields.append((name, value))
        return Milter.ACCEPT if self.wanted == "accept early" else Milter.CONTINUE

    def eoh(self):
        if self.wanted == "hang":
            time.sleep(60)
        return Milter.CONTINUE

    def body(self, chunk):
        self.body_size += len(chunk)
        self.lines += chunk.count(b"\r\n")
        return Milter.SKIP if self.wanted == "skip" else Milter.CONTINUE

    def eom(self):
        wanted = self.wanted
        if wanted == "show":
            for each in self.seen:
                self.addheader("X-Seen", each)
            for name, value in self.fields:
                self.addheader("X-Field", "%s|%r" % (name, value))
            self.addheader("X-Body", "%d octets, %d lines" % (self.body_size, self.lines))
        if wanted == "skip":
            self.addheader("X-Skipped", str(self.body_size < 1000000))
        if wanted == "add":
            self.addheader("X-Added", "one\n\ttwo")
            self.addheader("X-In-Front", "first", 0)
            self.progress()
        if wanted == "quarantine":
            self.quarantine("looks odd")
        if wanted == "reply":
            self.setreply("554", "5.7.9", "no %% thanks", "go away")
            return Milter.REJECT
        if wanted == "later":
            self.setreply("450", "4.2.7", "come back")
            return Milter.TEMPFAIL
        actions = {"reject": Milter.REJECT, "tempfail": Milter.TEMPFAIL, "discard": Milter.DISCARD}
        return actions.get(wanted, Milter.CONTINUE)


def main():
    Milter.factory = Wanted
    Milter.set_flags(Milter.ADDHDRS + Milter.QUARANTINE)
    Milter.runmilter("wanted", sys.argv[1], 30)


main()
