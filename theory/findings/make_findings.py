#!/usr/bin/env python3
"""Makes theory/FINDINGS.md from FINDINGS.in.md and the rows of verification runs.

    fibquant verify --quiet --json-file full.json
    fibquant verify interface --cache cache.h5 --quiet --json-file cache.json       (for F6)
    make_findings.py --rows full.json [--cache cache.json]      new rows.json and FINDINGS.md; rows of claims that the run
                                                                has not stay as they are
    make_findings.py --check                                    FINDINGS.md is what FINDINGS.in.md and rows.json give,
                                                                and no number in it comes from elsewhere
    make_findings.py --compare run.json                         rows.json agrees with the rows of a run

In FINDINGS.in.md [[claim series | parameters | expression | format]] stands for a number: the expression is over l, le,
r, re (left and right side and their errors), samples, and log10, sqrt, pi; more rows are named behind the format, "; name
= claim series | parameters", and stand for their left side. [[cache series | all | expression | format]] takes least,
median, most and heads over the rows of a cache; with "codecs" least_median and most_median over the codecs' medians.
[[= expression | format]] needs no row. Inside <!-- rows: ... --> rows are named that the text speaks of without a number.

Every other numeral of the text must be a parameter of a row of its finding, a whole number up to 10, or stand in the
finding's line <!-- given: ... -->: figures that papers print, and sizes.
"""
import argparse, json, math, os, re, sys, textwrap

FOLDER = os.path.dirname(os.path.abspath(__file__))
TEMPLATE, ROWS, RESULT = (os.path.join(FOLDER, n) for n in ("FINDINGS.in.md", "rows.json", "../FINDINGS.md"))
PLACE = re.compile(r"\[\[(.*?)\]\]", re.S)
FIELDS = ("left", "left_error", "relation", "right", "right_error", "verdict", "samples")


def squeeze(text):
    return " ".join(text.split())


def named_rows(template):
    """(claim series, parameters) of every row that the template names; those of caches apart."""
    rows, cached = [], []
    for match in PLACE.findall(template):
        for part in squeeze(match).split(";"):
            part = part.split(" = ")[-1].strip()
            if part.startswith("="):
                continue
            fields = [f.strip() for f in part.split("|")]
            (cached if fields[0].startswith("cache ") else rows).append((fields[0], fields[1]))
    return sorted(set(rows)), sorted({c for c, _ in cached})


def row_key(claim, row):
    return claim + " " + row["series"], row["parameters"]


def rows_of(run):
    rows = {}
    for claim in run["claims"]:
        for row in claim["evidence"]:
            rows.setdefault(row_key(claim["id"], row), row)
    return rows


def median(values):
    values = sorted(values)
    n = len(values)
    return 0.5 * (values[(n - 1) // 2] + values[n // 2])


def statistics_of(run, series):
    rows = [r for c in run["claims"] for r in c["evidence"] if r["series"] == series]
    by_codec = {}
    for row in rows:
        by_codec.setdefault(row["parameters"].split(", ", 1)[1], []).append(row["left"])
    values, medians = [r["left"] for r in rows], [median(v) for v in by_codec.values()]
    return {"least": min(values), "median": median(values), "most": max(values),
            "heads": len(values) // len(by_codec), "least_median": min(medians), "most_median": max(medians)}


def extract(template, full, cache, before):
    wanted, cached = named_rows(template)
    have = {}
    for run in full:
        have.update(rows_of(run))
    for row in before["rows"]:  # what no run has stays as it is
        have.setdefault(tuple(row["row"].split(" | ")), row)
    missing = [w for w in wanted if w not in have]
    if missing:
        sys.exit("make_findings: no such rows: " + "; ".join(" | ".join(m) for m in missing))
    rows = [dict({"row": " | ".join(w)}, **{f: have[w][f] for f in FIELDS}) for w in wanted]
    statistics = {c: statistics_of(cache, c.split()[1]) for c in cached} if cache else before["cache"]
    return {"seed": full[0]["seed"], "rows": rows, "cache": statistics}


class Numbers:
    def __init__(self, stored):
        self.rows = {r["row"]: r for r in stored["rows"]}
        self.cache = stored["cache"]

    def row(self, key):
        if key not in self.rows:
            sys.exit("make_findings: rows.json has no row " + key)
        return self.rows[key]

    def value(self, match):
        text = squeeze(match.group(1))
        names = {"log10": math.log10, "sqrt": math.sqrt, "pi": math.pi}
        if text.startswith("="):
            expression, form = (p.strip() for p in text[1:].split("|"))
        else:
            main, *others = (p.strip() for p in text.split(";"))
            what, parameters, expression, form = (p.strip() for p in main.split("|"))
            if what.startswith("cache "):
                names.update(self.cache[what])
            else:
                row = self.row(what + " | " + parameters)
                names.update(l=row["left"], le=row["left_error"], r=row["right"], re=row["right_error"],
                             samples=row["samples"])
            for other in others:
                name, key = (p.strip() for p in other.split(" = "))
                names[name] = self.row(key)["left"]
        return format(eval(expression, {"__builtins__": {}}, names), form).replace("e-0", "e-")


def wrapped(text):
    """Paragraphs to one width; titles and commands as they are."""
    blocks = []
    for block in re.split(r"\n\s*\n", text.strip()):
        if block.startswith(("#", "    ")):
            blocks.append(block)
        else:
            blocks.append(textwrap.fill(squeeze(block), 118, break_long_words=False, break_on_hyphens=False))
    return "\n\n".join(blocks) + "\n"


def make(template, stored):
    text = re.sub(r"<!--.*?-->\n?", "", template, flags=re.S)
    return wrapped(PLACE.sub(Numbers(stored).value, text))


def strangers(template):
    """Numerals that no row and no line of given figures accounts for."""
    found = []
    for section in re.split(r"(?m)^## ", template)[1:]:
        title = section.split("\n", 1)[0]
        given = set(" ".join(re.findall(r"<!-- given:(.*?)-->", section, re.S)).split())
        known = set()
        for match in PLACE.findall(section):
            known.update(re.findall(r"\d+(?:\.\d+)?", squeeze(match)))
        text = re.sub(r"<!--.*?-->", "", section, flags=re.S)
        text = PLACE.sub("", "\n".join(l for l in text.split("\n") if not l.startswith("    ")))
        for token in re.findall(r"(?<![A-Za-z0-9_.])\d+(?:\.\d+)?", text):
            if token not in given and token not in known and not ("." not in token and int(token) <= 10):
                found.append(f"{title}: {token}")
    return found


def compare(stored, run, everything):
    """Rows of another run against the stored ones: balls and closed forms to 1e-9, measurements within their errors
    where the run took as many samples. Returns how many were compared."""
    have, compared = rows_of(run), 0
    for row in stored["rows"]:
        key = tuple(row["row"].split(" | "))
        other = have.get(key)
        if other is None:
            if everything:
                sys.exit("make_findings: the run has no row " + row["row"])
            continue
        if other["samples"] != row["samples"]:
            continue
        for side in ("left", "right"):
            if row[side] is None:
                continue
            error = math.hypot(row[side + "_error"] or 0, other[side + "_error"] or 0)
            allowed = 1e-9 * abs(row[side]) + (6.1 * error if row["verdict"] not in ("certified", "computed") else error)
            if abs(row[side] - other[side]) > allowed:
                sys.exit(f"make_findings: {row['row']}: {side} {other[side]!r}, stored {row[side]!r} (more than {allowed:.2g}"
                         " apart): make rows.json and FINDINGS.md anew")
        compared += 1
    return compared


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", metavar="RUN.json", nargs="+", help="rows of later files replace those of earlier")
    parser.add_argument("--cache", metavar="CACHE.json")
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--compare", metavar="RUN.json")
    parser.add_argument("--everything", action="store_true", help="with --compare: every row must be in the run")
    options = parser.parse_args()
    template = open(TEMPLATE, encoding="utf-8").read()
    stored = json.load(open(ROWS)) if os.path.exists(ROWS) else {"rows": [], "cache": {}}
    if options.rows:
        cache = json.load(open(options.cache)) if options.cache else None
        stored = extract(template, [json.load(open(f)) for f in options.rows], cache, stored)
        with open(ROWS, "w") as f:
            json.dump(stored, f, indent=0)
            f.write("\n")
        with open(RESULT, "w", encoding="utf-8") as f:
            f.write(make(template, stored))
    if options.check or options.rows:
        loose = strangers(template)
        if loose:
            sys.exit("make_findings: numbers that come from no row: " + "; ".join(loose))
        wanted, _ = named_rows(template)
        if sorted(" | ".join(w) for w in wanted) != sorted(r["row"] for r in stored["rows"]):
            sys.exit("make_findings: rows.json holds other rows than FINDINGS.in.md names")
        if make(template, stored) != open(RESULT, encoding="utf-8").read():
            sys.exit("make_findings: FINDINGS.md is not what FINDINGS.in.md and rows.json give")
        print(f"{len(stored['rows'])} rows, every number accounted for")
    if options.compare:
        count = compare(stored, json.load(open(options.compare)), options.everything)
        if count == 0:
            sys.exit("make_findings: no row in common")
        print(f"{count} rows agree")


main()
