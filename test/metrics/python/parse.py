"""Reads metrics as text from standard input with Prometheus's own parser for Python, and writes them as JSON."""

import json
import sys

from prometheus_client.parser import text_string_to_metric_families

text = sys.stdin.buffer.read().decode("utf-8")
families = [
    {
        "name": family.name,
        "type": family.type,
        "help": family.documentation,
        # What is endless has no JSON.
        "samples": [[sample.name, sample.labels, str(float(sample.value))] for sample in family.samples],
    }
    for family in text_string_to_metric_families(text)
]
json.dump(families, sys.stdout)
