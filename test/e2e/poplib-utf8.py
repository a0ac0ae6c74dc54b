"""Logs in after UTF8 and writes the first message to standard output: PORT USER; the password comes in on standard input."""
import poplib
import sys

port, user = int(sys.argv[1]), sys.argv[2]
pop = poplib.POP3("localhost", port, timeout=20)
capabilities = pop.capa()
if capabilities.get("UTF8") != ["USER"] or "LANG" not in capabilities:
    sys.exit(f"CAPA says {capabilities}")
pop.utf8()
pop.user(user)
pop.pass_(sys.stdin.read())
_, lines, octets = pop.retr(1)
sys.stdout.buffer.write(b"".join(line + b"\r\n" for line in lines))
pop.quit()
