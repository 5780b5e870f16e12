#!/bin/sh
# Writes the manual page fibquant(1) from the program's own help: make_man.sh PROGRAM > fibquant.1
set -eu
program=$1

# Help text as it stands, with what roff would take for its own made harmless.
verbatim() {
    printf '.nf\n'
    sed -e 's/\\/\\e/g' -e 's/-/\\-/g' -e "s/^\\([.']\\)/\\\\\&\\1/"
    printf '.fi\n'
}

printf '.TH FIBQUANT 1 "" "fibquant" "fibquant manual"\n'
printf '.SH NAME\nfibquant \\- vector quantization of KV caches: experiments, theory, files\n'
printf '.SH DESCRIPTION\n'
"$program" --help | verbatim
for verb in $("$program" --help | sed -n 's/^  \([a-z][a-z-]*\)  .*/\1/p'); do
    printf '.SH FIBQUANT %s\n' "$(printf '%s' "$verb" | tr '[:lower:]' '[:upper:]')"
    "$program" "$verb" --help | verbatim
done
printf '.SH SEE ALSO\n.BR fibquant\\-sweep (1)\n'
