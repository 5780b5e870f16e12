#!/usr/bin/env python3
"""Writes README.md's table of the codes in this folder; with --check only says whether it is as it should be."""
import hashlib
import pathlib
import sys

FOLDER = pathlib.Path(__file__).resolve().parent
BEGIN, END = "<!-- table by make_index.py -->\n", "<!-- end of table -->\n"


def header_of(path):
    header, _, rest = path.read_bytes().partition(b"\ndata ")
    facts = dict(line.split(" ", 1) for line in header.decode().split("\n")[1:])
    assert hashlib.sha256(rest.partition(b"\n")[2]).hexdigest() == facts["sha256"], path
    return facts


def row(facts):
    distortion, error, bound = (float(facts.get(key, "nan")) for key in ("distortion", "distortion_se", "every_code_bound"))
    optimal = facts["block"] == "1" and facts["recipe"] == "product"
    above = "optimal" if optimal else f"{100 * (distortion / bound - 1):.2f} %" if bound == bound else ""
    return (f"| {facts['dim']} | {facts['block']} | {facts['codewords']} | {float(facts['rate']):.4g} | {facts['recipe']} "
            f"| {distortion:.6g} | {error:.1e} | {'' if bound != bound else f'{bound:.6g}'} | {above} | {facts['sha256'][:12]} |\n")


def table():
    found = sorted((header_of(path) for path in FOLDER.glob("*.code")),
                   key=lambda facts: [int(facts[key]) for key in ("dim", "block", "codewords")])
    return ("| d | k | N | bits | recipe | D | standard error | no code below | above that | SHA-256 of the words |\n"
            "| ---: | ---: | ---: | ---: | --- | ---: | ---: | ---: | ---: | --- |\n" + "".join(map(row, found)))


page = FOLDER / "README.md"
text = page.read_text()
before, rest = text.split(BEGIN)
made = before + BEGIN + table() + END + rest.split(END)[1]
if sys.argv[1:] == ["--check"]:
    sys.exit(made != text and "data/codes/README.md is not of the codes beside it: run data/codes/make_index.py")
page.write_text(made)
