"""Prints a line "TABLE COLUMN SHA-256" for every column of parameters and values of a results file, over its values in
order, numbers to nine digits. sweep_values.txt is what it prints for sweep_values.yaml."""
import hashlib
import sys

import h5py

with h5py.File(sys.argv[1], "r") as file:
    for name in sorted(file):
        if name in ("provenance", "failures"):
            continue
        table = file[name]
        for column, role in zip(table.attrs["columns"], table.attrs["roles"]):
            if role == "bookkeeping":
                continue
            values = [v.decode() if isinstance(v, bytes) else "%.9g" % v if table.dtype[column].kind == "f" else str(v)
                      for v in table[column]]
            print(name, column, hashlib.sha256("\n".join(values).encode()).hexdigest())
