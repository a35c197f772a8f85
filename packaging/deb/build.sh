#!/usr/bin/env bash
# Builds wgmqtt_VERSION_all.deb, for Debian 12 and 13 and Ubuntu 24.04.   bash packaging/deb/build.sh [DIRECTORY]
# The package goes to DIRECTORY (default: dist/ in the project). Needs python3 with venv, dpkg-deb and gzip; fetches the bundled
# Python packages from PyPI. Needs no root.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
project=$(cd "$here/../.." && pwd)
output=$(mkdir -p "${1:-$project/dist}" && cd "${1:-$project/dist}" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
root=$work/root
umask 022

for program in python3 dpkg-deb gzip; do
    command -v "$program" >/dev/null || { echo "build: $program is missing; install it first" >&2; exit 1; }
done

quietly() {
    "$@" >"$work/log" 2>&1 || { cat "$work/log" >&2; echo "build: failed: $*" >&2; exit 1; }
}

# The program and the Python packages that Debian does not have in the versions needed. PyYAML comes from Debian, with its C parser.
bundle_program() {
    local lib=$root/usr/lib/wgmqtt bundled
    mapfile -t bundled < <(python3 - "$project/pyproject.toml" <<'PYTHON'
import sys
import tomllib

with open(sys.argv[1], "rb") as opened:
    for each in tomllib.load(opened)["project"]["dependencies"]:
        if not each.startswith("pyyaml"):
            print(each)
PYTHON
    )
    quietly python3 -m venv "$work/venv"
    quietly "$work/venv/bin/pip" install --disable-pip-version-check --no-compile --no-deps --target "$lib" \
        "$project" "${bundled[@]}"
    rm -rf "$lib/bin"
    # Nothing in there is a program of its own.
    grep -rlZ --include='*.py' -m 1 '^#!' "$lib" | xargs -0r sed -i '1{/^#!/d}'
    install -D -m 755 "$here/wgmqtt" "$root/usr/bin/wgmqtt"
    version=$(PYTHONPATH=$lib python3 -c 'import wgmqtt; print(wgmqtt.__version__)')
}

# The units of the source tree, with the program where this package has it.
add_units() {
    local units=$root/usr/lib/systemd/system
    install -d "$units/mosquitto.service.d"
    sed 's|/opt/wgmqtt/bin/wgmqtt|/usr/bin/wgmqtt|; /^# wgmqtt on the hub/d' "$project/packaging/systemd/wgmqtt.service" \
        >"$units/wgmqtt.service"
    grep -q '^ExecStart=/usr/bin/wgmqtt ' "$units/wgmqtt.service"
    sed '/Install as/d' "$project/packaging/systemd/mosquitto-wgmqtt.conf" >"$units/mosquitto.service.d/wgmqtt.conf"
}

add_documents() {
    local doc=$root/usr/share/doc/wgmqtt
    install -d "$doc/examples"
    install -m 644 "$project/README.md" "$project"/docs/*.md "$doc"
    install -m 644 "$project/config.example.yaml" "$doc/examples/config.yaml"
    install -m 644 "$project/docs/config.schema.json" "$doc/examples/config.schema.json"
    install -m 644 "$here/copyright" "$doc/copyright"
    gzip -9n <"$here/changelog" >"$doc/changelog.gz"
    install -D -m 644 "$here/lintian-overrides" "$root/usr/share/lintian/overrides/wgmqtt"
}

# Manual pages and completions are printed by the program's own parser and declarations.
add_manual() {
    local man=$root/usr/share/man
    install -d "$man/man1" "$man/man5" "$root/usr/share/bash-completion/completions" "$root/usr/share/zsh/vendor-completions"
    quietly "$work/venv/bin/pip" install --disable-pip-version-check shtab argparse-manpage pyyaml
    print() { PYTHONPATH=$root/usr/lib/wgmqtt "$work/venv/bin/python" -B "$here/manual.py" "$@"; }
    print command | gzip -9n >"$man/man1/wgmqtt.1.gz"
    print configuration | gzip -9n >"$man/man5/wgmqtt.yaml.5.gz"
    print bash >"$root/usr/share/bash-completion/completions/wgmqtt"
    print zsh >"$root/usr/share/zsh/vendor-completions/_wgmqtt"
}

add_control() {
    local size
    size=$(du -ks --exclude=DEBIAN "$root" | cut -f 1)
    install -d "$root/DEBIAN" "$root/etc/wgmqtt" "$root/etc/default"
    install -m 644 "$here/default" "$root/etc/default/wgmqtt"
    sed "s/@version@/$version/; s/@size@/$size/" "$here/control" >"$root/DEBIAN/control"
    echo /etc/default/wgmqtt >"$root/DEBIAN/conffiles"
    install -m 755 "$here/postinst" "$here/prerm" "$here/postrm" "$root/DEBIAN"
    (cd "$root" && find . -path ./DEBIAN -prune -o -type f ! -path './etc/*' -printf '%P\0' | sort -z | xargs -0 md5sum >DEBIAN/md5sums)
}

bundle_program
add_units
add_documents
add_manual
add_control
find "$root" -name __pycache__ -type d -prune -exec rm -rf {} +
chmod -R u+rwX,go+rX,go-w "$root"
quietly dpkg-deb --root-owner-group -Zxz --build "$root" "$output/wgmqtt_${version}_all.deb"
echo "$output/wgmqtt_${version}_all.deb"
