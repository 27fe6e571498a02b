#!/usr/bin/env python3
"""The SARIF log of a scan against SARIF 2.1.0: the models that pydantic-sarif generated from OASIS's schema, and what
code-scanning services ask for beyond it.

    scan_sarif.py TOOL

TOOL is tests/scan_page.cc. With jsonschema at hand and REVEILLE_SARIF_SCHEMA set, the schema itself is asked as well.
"""
import json
import os
import pathlib
import subprocess
import sys
import tempfile

from scan_fixture import scans

SKIP = 77


def check_services(log):
    """What uploads want: https://docs.github.com/code-security, "SARIF support for code scanning"."""
    assert log["version"] == "2.1.0" and log["$schema"].endswith("sarif-2.1.0.json"), log["$schema"]
    for run in log["runs"]:
        rules = run["tool"]["driver"]["rules"]
        ids = [rule["id"] for rule in rules]
        assert len(ids) == len(set(ids)), ids
        for rule in rules:
            assert rule["shortDescription"]["text"] and rule["fullDescription"]["text"] and rule["help"]["text"], rule
            assert 0 <= float(rule["properties"]["security-severity"]) <= 10, rule
        prints = [json.dumps(result["partialFingerprints"]) for result in run["results"]]
        assert len(prints) == len(set(prints)), prints
        for result in run["results"]:
            assert result["message"]["text"] and ids[result["ruleIndex"]] == result["ruleId"], result
            place = result["locations"][0]["physicalLocation"]
            uri = place["artifactLocation"]["uri"]
            assert uri.startswith("models/mine/") and " " not in uri and ":" not in uri, uri
            assert place["region"]["startLine"] >= 1, place


def check_models(log):
    from pydantic_sarif.model import StaticAnalysisResultsFormatSarifVersion210JsonSchema as Log
    Log.model_validate(log)
    spoilt = json.loads(json.dumps(log))
    spoilt["runs"][0]["results"].append({"ruleId": "x"})  # has no message, which the schema demands
    try:
        Log.model_validate(spoilt)
    except ValueError:
        return
    raise AssertionError("the models accept a result without a message: they check nothing")


def check_schema(log):
    path = os.environ.get("REVEILLE_SARIF_SCHEMA")
    if not path:
        return
    import jsonschema
    jsonschema.Draft4Validator(json.loads(pathlib.Path(path).read_text())).validate(log)


def main():
    try:
        import pydantic_sarif  # noqa: F401
    except ImportError:
        print("skipped: the Python package pydantic-sarif is not there")
        return SKIP
    for name, scan in scans().items():
        with tempfile.TemporaryDirectory() as folder:
            source = pathlib.Path(folder) / "scan.json"
            source.write_text(json.dumps(scan))
            subprocess.run([sys.argv[1], source, folder], check=True)
            log = json.loads((pathlib.Path(folder) / "scan.sarif").read_text())
        assert len(log["runs"][0]["results"]) == len(scan["findings"]) + len(scan["files"]), name
        check_services(log)
        check_models(log)
        check_schema(log)
        print(f"{name}: {len(log['runs'][0]['results'])} results are valid")
    return 0


if __name__ == "__main__":
    sys.exit(main())
