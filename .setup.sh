# Sourced by ./check and ./reproduce: makes sure that what .debian-packages lists is there.
# On Debian (root, or sudo) missing packages are installed; elsewhere they are named.

fq_say() { printf '%s\n' "$*" >&2; }

fq_probe() { # KIND=NAME: is it there, on a system without dpkg?
    case $1 in
    command=*) command -v "${1#*=}" >/dev/null 2>&1 ;;
    module=*) pkg-config --exists "${1#*=}" 2>/dev/null ;;
    header=*) printf '#include <%s>\n' "${1#*=}" |
        cc -E -I/usr/include/hdf5/serial $(pkg-config --cflags hdf5 2>/dev/null) - >/dev/null 2>&1 ;;
    python=*) python3 -c "import ${1#*=}" 2>/dev/null ;;
    file=*) [ -e "${1#*=}" ] ;;
    esac
}

fq_setup() {
    local package probe missing=() sudo=
    local debian=no
    if command -v dpkg-query >/dev/null && command -v apt-get >/dev/null; then debian=yes; fi
    while read -r package probe; do
        case $package in '' | '#'*) continue ;; esac
        if [ $debian = yes ]; then
            [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" = installed ] ||
                missing+=("$package")
        else
            fq_probe "$probe" || missing+=("$package")
        fi
    done <"$1/.debian-packages"
    [ ${#missing[@]} -gt 0 ] || return 0
    if [ $debian = no ]; then
        fq_say "This is no Debian system. Install what it calls these, then run this again:"
        fq_say "  ${missing[*]}"
        return 1
    fi
    if [ "$(id -u)" -ne 0 ]; then
        sudo=sudo
        if ! command -v sudo >/dev/null; then
            fq_say "Not root, and no sudo. As root: apt-get install ${missing[*]}"
            return 1
        fi
    fi
    fq_say "Installing ${#missing[@]} Debian packages: ${missing[*]}"
    local log
    log=$(mktemp)
    if ! { $sudo apt-get update -qq && $sudo env DEBIAN_FRONTEND=noninteractive \
        apt-get install -y --no-install-recommends "${missing[@]}"; } >"$log" 2>&1; then
        tail -20 "$log" >&2
        fq_say "apt-get could not install them; its whole output is in $log"
        return 1
    fi
    rm -f "$log"
}

fq_build() { # PRESET: configures once, builds what changed
    local log=build/$1.log
    mkdir -p build
    if ! { { [ -f "build/$1/build.ninja" ] || cmake --preset "$1"; } && cmake --build --preset "$1"; } >"$log" 2>&1; then
        grep -E 'error|Error|warning' -A 6 "$log" | head -60 >&2
        fq_say "The build failed; its whole output is in $log"
        return 1
    fi
}
