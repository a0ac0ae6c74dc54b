"""Writes the first message of a mailbox to standard output and deletes it: MODE PORT USER [CA-FILE]; the password comes in on standard input."""
import poplib
import ssl
import sys

mode, port, user = sys.argv[1], int(sys.argv[2]), sys.argv[3]
password = sys.stdin.read()
context = ssl.create_default_context(cafile=sys.argv[4]) if len(sys.argv) > 4 else None
if mode == "implicit":
    pop = poplib.POP3_SSL("localhost", port, timeout=20, context=context)
else:
    pop = poplib.POP3("localhost", port, timeout=20)
if mode == "stls":
    pop.stls(context)
pop.user(user)
pop.pass_(password)
count, size = pop.stat()
_, lines, octets = pop.retr(1)
if (count, size) != (1, octets):
    sys.exit(f"STAT says {count} {size}, RETR gave {octets}")
sys.stdout.buffer.write(b"".join(line + b"\r\n" for line in lines))
pop.dele(1)
pop.quit()
