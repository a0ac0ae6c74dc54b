"""Prints the messages of an mbox file as Python's mailbox module finds them, as JSON."""
import json
import mailbox
import sys

print(json.dumps([
    {
        "from": message.get_from(),
        "subject": message["Subject"],
        "delivered": message["Delivered-To"],
        "body": message.get_payload(),
    }
    for message in mailbox.mbox(sys.argv[1], create=False)
]))
