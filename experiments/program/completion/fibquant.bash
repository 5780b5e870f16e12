# bash completion for fibquant: source it, or put it in /usr/share/bash-completion/completions/fibquant.
# Everything offered comes from the program itself: its help, and what its verbs list.

_fibquant_verbs() { "$1" --help 2>/dev/null | sed -n 's/^  \([a-z][a-z-]*\)  .*/\1/p'; }

# Words for a name like fib:k=4,rot=h that is begun: families, then keys, then values of keys that have words.
_fibquant_codecs() { # PROGRAM BEGUN
    local program=$1 begun=$2 family=${2%%:*} last before
    if [[ $begun != *:* ]]; then
        "$program" help codecs 2>/dev/null |
            awk '/^[a-z0-9_]+: / { if (name) print name; name = $1 } /^  [^ ]/ { if (name) print name; name = "" }
                 /^$/ { sub(":$", "", name); if (name) print name; name = "" }
                 END { sub(":$", "", name); if (name) print name }'
        return
    fi
    last=${begun##*[:,]} before=${begun%"${begun##*[:,]}"}
    "$program" help codecs 2>/dev/null | awk -v family="$family:" -v last="$last" -v before="$before" '
        /^[^ ]/ { on = $1 == family }
        on && /^  [^ ]/ {
            key = $1
            if (index(last, "=") == 0) { if (index(before, ":" key "=") + index(before, "," key "=") == 0) print before key "=" }
            else if (index(last, key "=") == 1) {
                sub(/ \((default|required).*$/, ""); sub(/^.*: /, "")
                if ($0 !~ /^(a|any) /) { gsub(/, | or /, " "); n = split($0, words, " "); for (i = 1; i <= n; i++) print before key "=" words[i] }
            }
        }'
}

# Words for the value of an option; nothing where it is a number, a text or a file.
_fibquant_values() { # PROGRAM VERB OPTION BEGUN
    case $2:$3 in
    *:--codec | *:-c | *:--value-codec) _fibquant_codecs "$1" "$4" ;;
    results:--table) "$1" sweep --list 2>/dev/null | sed -n 's/^\([a-z][a-z-]*\) (version.*/\1/p'; echo failures ;;
    plot:--figure) "$1" plot --list 2>/dev/null | sed 's/ .*//' ;;
    bench:--only) "$1" bench --list 2>/dev/null | sed -n 's/^\([a-z][a-z_-]*\).*/\1/p' ;;
    *)  "$1" "$2" --help 2>/dev/null | awk -v option="$3" '
            /^  (-., |    )--/ { on = ($1 == option || $1 == option "," || $2 == option) }
            /^$/ { on = 0 }
            on { for (i = 1; i <= NF; i++) if ($i ~ /^[a-z-]+(\|[a-z-]+)+$/) { gsub(/\|/, "\n", $i); print $i } }' ;;
    esac
}

# Words for an argument that is no option; files where there are none.
_fibquant_arguments() { # PROGRAM VERB
    case $2 in
    verify) "$1" verify --list 2>/dev/null | sed -n 's/^[0-9][0-9]* \([a-z_]*\): .*/\1/p' ;;
    help) _fibquant_verbs "$1"; echo codecs ;;
    theory) "$1" theory --help 2>/dev/null | sed -n '1s/.* //p' | tr '|' '\n' ;;
    esac
}

_fibquant() {
    local program=${COMP_WORDS[0]} verb=${COMP_WORDS[1]} line full words previous prefix takes=
    COMPREPLY=()
    if ((COMP_CWORD == 1)); then
        mapfile -t COMPREPLY < <(compgen -W "$(_fibquant_verbs "$program") --help --version" -- "${COMP_WORDS[1]}")
        return
    fi
    # the word as typed: bash breaks names of codecs at : and =
    line=${COMP_LINE:0:COMP_POINT}
    full=${line##* }
    read -ra words <<<"${line%"$full"}"
    previous=${words[-1]}
    [[ $previous != -* ]] || takes=$("$program" "$verb" --help 2>/dev/null | awk -v option="$previous" '
        /^  (-., |    )--/ && ($1 == option "," || $1 == option || $2 == option) {
            word = $1 ~ /,$/ ? $3 : $2; print (word ~ /^[A-Z]/) ? "value" : "" }')
    if [[ $takes == value ]]; then
        mapfile -t COMPREPLY < <(compgen -W "$(_fibquant_values "$program" "$verb" "$previous" "$full")" -- "$full")
        ((${#COMPREPLY[@]})) || mapfile -t COMPREPLY < <(compgen -f -- "$full")
    elif [[ $full == -* ]]; then
        mapfile -t COMPREPLY < <(compgen -W "$("$program" "$verb" --help 2>/dev/null |
            sed -n '/^Options:/,/^$/s/^  \(-., \|    \)\(--[a-z][a-z-]*\).*/\2/p')" -- "$full")
    else
        mapfile -t COMPREPLY < <(compgen -W "$(_fibquant_arguments "$program" "$verb")" -- "$full")
        ((${#COMPREPLY[@]})) || mapfile -t COMPREPLY < <(compgen -f -- "$full")
    fi
    [[ ${COMPREPLY[0]-} != *[:=] ]] || compopt -o nospace 2>/dev/null || true
    prefix=${full%"${full##*[=:]}"}
    [[ $COMP_WORDBREAKS != *:* ]] || COMPREPLY=("${COMPREPLY[@]#"$prefix"}")
}
complete -o filenames -F _fibquant fibquant
