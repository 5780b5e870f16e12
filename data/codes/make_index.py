#!/usr/bin/env python3
"""Writes README.md's table of the codes in this folder; with --check only says whether it is as it should be."""
import hashlib
import math
import pathlib
import sys

FOLDER = pathlib.Path(__file__).resolve().parent
BEGIN, END = "<!-- table by make_index.py -->\n", "<!-- end of table -->\n"


def trellis_of(path):
    text, _, stated = path.read_text().rpartition("sha256 ")
    assert hashlib.sha256(text.encode()).hexdigest() == stated.strip(), path
    return dict(line.split(" ", 1) for line in text.strip().split("\n")[1:]) | {"sha256": stated}


def trellis_row(facts):
    distortion, bound = float(facts["distortion"]), float(facts["every_code_bound"])
    return (f"| {float(facts['rate']):.4g} | {facts['window']} | {facts['label_bits']} | {distortion:.6g} "
            f"| {float(facts['distortion_se']):.1e} | {bound:.6g} | {10 * math.log10(distortion / bound):.2f} dB "
            f"| {facts['sha256'][:12]} |\n")


def trellis_table():
    found = sorted(map(trellis_of, FOLDER.glob("trellis-*.code")),
                   key=lambda facts: [float(facts[key]) for key in ("rate", "window", "label_bits")])
    return ("| bits | window | label bits | D at d = 64 | standard error | no code below | above that | SHA-256 |\n"
            "| ---: | ---: | ---: | ---: | ---: | ---: | ---: | --- |\n" + "".join(map(trellis_row, found)))


def header_of(path):
    header, _, rest = path.read_bytes().partition(b"\ndata ")
    facts = dict(line.split(" ", 1) for line in header.decode().split("\n")[1:])
    assert hashlib.sha256(rest.partition(b"\n")[2]).hexdigest() == facts["sha256"], path
    return facts


def row(facts):
    distortion, error, bound = (float(facts.get(key, "nan")) for key in ("distortion", "distortion_se", "every_code_bound"))
    optimal = facts["block"] == "1" and facts["recipe"] == "product"
    above = "optimal" if optimal else f"{100 * (distortion / bound - 1):.2f} %" if bound == bound else ""
    low, high = (float(facts.get(key, "nan")) for key in ("certified_low", "certified_high"))
    certified = "" if low != low else f"{low:.9f}" if high - low < 1e-9 else f"{low:.5f} to {high:.5f}"
    return (f"| {facts['dim']} | {facts['block']} | {facts['codewords']} | {float(facts['rate']):.4g} | {facts['recipe']} "
            f"| {distortion:.6g} | {error:.1e} | {'' if bound != bound else f'{bound:.6g}'} | {above} | {certified} | {facts['sha256'][:12]} |\n")


def table():
    found = sorted((header_of(path) for path in FOLDER.glob("d*.code")),
                   key=lambda facts: [int(facts[key]) for key in ("dim", "block", "codewords")])
    return ("| d | k | N | bits | recipe | D | standard error | no code below | above that | D, certified | SHA-256 of the words |\n"
            "| ---: | ---: | ---: | ---: | --- | ---: | ---: | ---: | ---: | ---: | --- |\n" + "".join(map(row, found)))


page = FOLDER / "README.md"
text = page.read_text()
before, rest = text.split(BEGIN)
made = before + BEGIN + table() + "\n" + trellis_table() + END + rest.split(END)[1]
if sys.argv[1:] == ["--check"]:
    sys.exit(made != text and "data/codes/README.md is not of the codes beside it: run data/codes/make_index.py")
page.write_text(made)
