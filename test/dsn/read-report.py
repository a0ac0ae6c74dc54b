"""Prints what Python's email package finds in the reports of a directory, as JSON by file name."""
import email.policy
import json
import os
import sys


def read(path):
    with open(path, "rb") as file:
        report = email.message_from_binary_file(file, policy=email.policy.default)
    parts = report.get_payload()
    # compat32 keeps the fields of the blocks as they are written.
    with open(path, "rb") as file:
        plain = email.message_from_binary_file(file)
    blocks = plain.get_payload()[1].get_payload()
    return {
        "type": report.get_content_type(),
        "reportType": report.get_param("report-type"),
        "subject": report["Subject"],
        "from": str(report["From"]),
        "parts": [part.get_content_type() for part in parts],
        "defects": [str(d) for part in report.walk() for d in part.defects],
        "text": parts[0].get_content(),
        "blocks": [[[name, str(value)] for name, value in b.items()] for b in blocks]
        if isinstance(blocks, list) else None,
    }


directory = sys.argv[1]
print(json.dumps({name: read(os.path.join(directory, name)) for name in os.listdir(directory)}))
