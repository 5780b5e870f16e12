#!/usr/bin/env python3
"""Makes theory/CLAIMS.md from verification runs.

    fibquant verify [CLAIM...] --quiet --json-file run.json
    make_claims.py --rows run.json...     new claims.json and CLAIMS.md; claims that no run has stay as they are, and a quick
                                          run renews texts but not the numbers of rows of a full one
    make_claims.py --check                CLAIMS.md is what claims.json gives
    make_claims.py --compare quick.json   the program's claims and series are those of claims.json, word for word, and each
                                          series of the first table has the verdicts that its line says

The first table is written here: who says what, the series that decide it, and the verdict in words. Its strength and its
evidence are counted from the rows of those series.
"""
import argparse, json, os, sys, textwrap

FOLDER = os.path.dirname(os.path.abspath(__file__))
STORED, RESULT = os.path.join(FOLDER, "claims.json"), os.path.join(FOLDER, "../CLAIMS.md")
TEXTS = ("number", "id", "title", "statement", "domain", "citation", "checked", "not_covered")
PARTS = (("statement", "The statement"), ("check", "Second routes to its numbers"),
         ("practice", "Trained codes, codecs, constants of the literature"))
KINDS = ("certified", "computed", "measured", "literature", "undecided", "refuted")

# Who, what, "claim: series ..." that decide it (all of a claim's statement if none is named), and what comes of it.
STATED = (
    ("FibQuant", "After a random rotation a block of k coordinates of any vector has the spherical-Beta law (Theorem 1)",
     ("source: normalisation mean_squared_radius variance_squared_radius covariance_of_squares haar_radius_distance "
      "haar_mean haar_direction_mean haar_direction_square haar_independence",), "holds"),
    ("FibQuant", "Such a block is no product of its coordinates", ("correlation: total_correlation",), "holds"),
    ("FibQuant", "One codebook serves every layer, head, prompt and token; same interface, no calibration",
     ("source: haar_radius_distance", "interface: rotated_scores rotated_outputs reconstruction_bound"),
     "holds for Haar rotations; for randomised Hadamard transforms nearly, F10"),
    ("FibQuant", "Radii at Beta quantiles matched to f^{k/(k+2)} are the best point density",
     ("density: bennett_functional planar_radii radial_mean",), "holds"),
    ("FibQuant", "Directions are quasi-uniform: golden angle, Fibonacci sphere, Roberts-Kronecker",
     ("directions: golden_covering golden_separation covering_against_random covering_below_3_random",),
     "holds at k = 2 and 3; from k = 4 on hardly better than random, F11; at k = 3 radii undo it, F4"),
    ("FibQuant", "Multi-restart Lloyd-Max refines the codebook",
     ("improvement: paper_recipe_over_start paper_recipe_over_product", "lloyd_max: lloyd_descent"),
     "each step does; the recipe of 30 N samples can end above its start and above the scalar code, F1"),
    ("FibQuant", "The vector code strictly improves on the scalar product code at matched rate",
     ("improvement: corner_mean step_decrease any_corner_mean relative_mean_falls one_bit_not_optimal",),
     "holds from 3 levels a coordinate, by proof; at one bit for k >= 3, by another code, F2"),
    ("FibQuant", "At high rate the gain is cell shaping times density matching, both above 1, 4.35 dB at most",
     ("gains: shaping_factor_closed_form density_factor total_gain_sphere_bound total_limit",
      "finite_rate: scaled_distortion near_limit"), "holds; Zador's limit is taken from the literature"),
    ("FibQuant", "A dense rate axis, fractional rates and rates below one bit, at fixed addresses",
     ("rates:", "low_rate: below_shared_scalar above_shannon"), "holds"),
    ("FibQuant", "34 times compression of GPT-2's cache at an attention cosine of 0.95",
     ("low_rate: cosine_ceiling",), "of vectors impossible, whatever the code: at most 0.68; a property of attention, F5"),
    ("FibQuant", "TinyLlama: 0.10 perplexity at 4x, 3.6 times less than TurboQuant at 2 bits",
     (), "not decided by a claim; experiments measure another model"),
    ("TurboQuant", "The MSE form has D <= (sqrt(3) pi / 2) 4^-b, with 0.36, 0.117, 0.03, 0.009 at b = 1 to 4",
     ("turboquant: mse_upper_bound high_rate_constant high_rate_constant_attained mse_as_published",),
     "holds for b <= 8, and the constant is the best"),
    ("TurboQuant", "No code of b bits has D below 4^-b", ("turboquant_lower:", "turboquant: any_code_on_the_circle"),
     "holds at small b, false at every d from some b on, F9"),
    ("TurboQuant", "The inner-product form is unbiased, with variance at most (sqrt(3) pi^2 / d) 4^-b",
     ("turboquant: product_is_unbiased product_variance product_variance_exact product_variance_averaged",), "holds"),
    ("TurboQuant", "Its variances are 1.57/d, 0.56/d, 0.18/d, 0.047/d at b = 1 to 4",
     ("turboquant: product_variance_as_published",), "two are not, F12"),
    ("TurboQuant", "Within a factor of 2.7 of the information-theoretic limit at every bit width",
     ("turboquant: mse_upper_bound high_rate_constant", "caps: scalar_code_above"),
     "of 4^-b, yes; at fixed d what every code obeys falls faster, about as 4^{-bd/(d-1)}, F9"),
    ("QJL", "The sketch has variance (pi/2 |y|^2 - <y,x>^2)/d, at most pi |y|^2/(2d)",
     ("turboquant: sketch_variance product_variance_averaged",), "holds"),
    ("BlockQuant", "Three scales beside a code of a direction: none, least squares, unbiased",
     ("gain: gain_identity gain_saves unbiased_error",),
     "least squares has the least error; the unbiased one costs a factor 1/(1-D), so that at 4 bits of the scalar code it "
     "still errs less than none"),
    ("others", "\"d = 64 is below FibQuant's threshold\"",
     ("gains: gain_at_small_dimension", "improvement: step_decrease"),
     "false: at d = 64 blocks keep more than 97 per cent of the gain that large d has"),
    ("others", "\"Dense Haar rotations have a heavy tail\"",
     ("source: haar_fourth_moment_below_normal haar_tail_below_normal",),
     "false: tails and fourth moment are below a normal number's"),
    ("others", "\"QJL adds nothing\"", ("turboquant: product_form_loses product_is_unbiased mse_form_shrinks",),
     "in mean square error it loses at every b; what it adds is no bias under one fixed rotation"),
    ("here", "What no code of B bits a vector can beat", ("caps: equal_caps equal_caps_free_gain",), "proved"),
    ("here", "What no code of N words in a block can beat", ("every_code: every_code",), "proved"),
)


def kind_of(row):
    if row["verdict"] == "refuted" and row["finding"]:
        return "exception " + row["finding"]
    if row["relation"] == "value":
        return "value"
    return "literature" if row["rests_on"] else row["verdict"]


def counted(claim):
    """Rows of every series by outcome; exceptions, values and what rests on constants of the literature apart."""
    counts = {}
    for row in claim["evidence"]:
        series = counts.setdefault(row["series"], {})
        series[kind_of(row)] = series.get(kind_of(row), 0) + 1
    return counts


def extract(runs):
    claims = {}
    for run in runs:
        for claim in run["claims"]:
            claims[claim["id"]] = dict({t: claim[t] for t in TEXTS}, verdict=claim["verdict"],
                                       practice=claim["practice_verdict"], series=claim["series"], counts=counted(claim),
                                       quick=run["quick"])
    return claims


def merge(claims, new):
    for claim in new.values():
        old = claims.get(claim["id"])
        if claim["quick"] and old and not old["quick"]:
            counts = {s: old["counts"].get(s, n) for s, n in claim["counts"].items()}
            counts.update({s: n for s, n in old["counts"].items() if s in claim["series"]})
            claim = dict(claim, counts=counts, verdict=old["verdict"], practice=old["practice"], quick=False)
        claims[claim["id"]] = claim
    return sorted(claims.values(), key=lambda c: c["number"])


def fill(text):
    return textwrap.fill(text, 118, break_long_words=False, break_on_hyphens=False)


def cell(text):
    return text.replace("|", "\\|")


def deciders(by_id, names):
    """(claim, series) pairs of a line of the first table."""
    for name in names:
        claim, series = (p.strip() for p in name.split(":"))
        if claim not in by_id:
            sys.exit(f"make_claims: no claim {claim}")
        all_of = [s for s, about in by_id[claim]["series"].items() if about["part"] == "statement"]
        for s in series.split() or all_of:
            if s not in by_id[claim]["series"]:
                sys.exit(f"make_claims: claim {claim} has no series {s}")
            yield by_id[claim], s


def sums(by_id, names):
    total = {}
    for claim, series in deciders(by_id, names):
        for what, n in claim["counts"].get(series, {}).items():
            if what != "value":
                total[what] = total.get(what, 0) + n
    return total


def strength(total):
    return ", ".join(k for k in KINDS if k in total) or "-"


def evidence(total):
    plain = [f"{total[k]} {k}" for k in KINDS if k in total]
    found = {}
    for what, n in total.items():
        if what.startswith("exception"):
            found[what.split()[1]] = n
    return ", ".join(plain + [f"{n} exceptions ({f})" for f, n in sorted(found.items())]) or "-"


def make(claims):
    by_id = {c["id"]: c for c in claims}
    lines = ["| stated by | statement | decided by | strength | rows | verdict |", "|---|---|---|---|---|---|"]
    for who, what, names, verdict in STATED:
        total = sums(by_id, names)
        by = ", ".join(f"{by_id[n.split(':')[0]]['number']} {n.split(':')[0]}" for n in names) or "-"
        lines.append("| " + " | ".join(cell(t) for t in (who, what, by, strength(total), evidence(total), verdict)) + " |")
    out = ["# Claims", fill(
        "Every statement that `fibquant verify` decides, with its strength and its evidence. *certified*: interval arithmetic "
        "from exact parameters to the end; *computed*: floating point with an error estimate; *measured*: samples, a "
        "comparison's false alarm being 1e-9; *literature*: as firm as a published constant. F1, F2, ...: exceptions that "
        "[FINDINGS.md](FINDINGS.md) explains. Numbers of rows are those of a full run at the default seed; this page is made "
        "from it (theory/findings/make_claims.py). Only Theorem 1 of FibQuant is known here by its number."),
        "## What the papers state", "\n".join(lines)]
    for c in claims:
        out.append(f"## {c['number']}. {c['title']} (`{c['id']}`)")
        out.append(fill(c["statement"]))
        out.append(fill(f"*Domain*: {c['domain']}. *Source*: {c['citation']}."))
        out.append(fill(f"*Checked*: {c['checked']}"))
        out.append(fill(f"*Not covered*: {c['not_covered']}"))
        lines = ["| series | left and right | rows" + (" of a quick run" if c["quick"] else "") + " |", "|---|---|---|"]
        for part, title in PARTS:
            names = [n for n, s in c["series"].items() if s["part"] == part and n in c["counts"]]
            if names:
                lines.append(f"| **{title}** | | |")
            for n in names:
                counts = c["counts"][n]
                rows = evidence(counts) if set(counts) != {"value"} else f"{counts['value']} values"
                lines.append(f"| {n} | {cell(c['series'][n]['meaning'])} | {rows} |")
        out.append("\n".join(lines))
    return "\n\n".join(out) + "\n"


def compare(claims, run):
    """The program's texts and series are the stored ones; no row of the first table's series is undecided or refuted."""
    now = extract([run])
    if sorted(now) != sorted(c["id"] for c in claims):
        sys.exit("make_claims: the program has other claims: make_claims.py --rows with a run of the new one")
    for stored in claims:
        for text in TEXTS + ("series",):
            if stored[text] != now[stored["id"]][text]:
                sys.exit(f"make_claims: claim {stored['id']}: {text} is another in the program: make_claims.py --rows "
                         "with a run of it")
    for who, what, names, _ in STATED:
        bad = {k for k in sums(now, names) if k in ("undecided", "refuted")}
        if bad:
            sys.exit(f"make_claims: {who}: {what}: rows are {', '.join(bad)}")
        exceptions = {k for k in sums(now, names) if k.startswith("exception")}
        if not exceptions <= set(sums({c["id"]: c for c in claims}, names)):
            sys.exit(f"make_claims: {who}: {what}: other exceptions than in the full run")
    print(f"{len(claims)} claims as the program has them")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", metavar="RUN.json", nargs="+")
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--compare", metavar="QUICK.json")
    options = parser.parse_args()
    stored = json.load(open(STORED)) if os.path.exists(STORED) else []
    if options.rows:
        for f in options.rows:
            stored = merge({c["id"]: c for c in stored}, extract([json.load(open(f))]))
        with open(STORED, "w", encoding="utf-8") as f:
            json.dump(stored, f, indent=0)
            f.write("\n")
        with open(RESULT, "w", encoding="utf-8") as f:
            f.write(make(stored))
    if (options.check or options.rows) and make(stored) != open(RESULT, encoding="utf-8").read():
        sys.exit("make_claims: CLAIMS.md is not what claims.json and the first table give")
    if options.compare:
        compare(stored, json.load(open(options.compare)))


main()
