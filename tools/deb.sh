#!/usr/bin/env bash
# The Debian package, target/ssi_VERSION_ARCH.deb, from what `make install` installs.
set -euo pipefail
. "$(dirname "$0")/env.sh"
version=$(sed -n '/^\[workspace.package\]/,/^\[/ s/^version *= *"\(.*\)"/\1/p' "$ROOT/Cargo.toml")
arch=$(dpkg --print-architecture)
stage=$(mktemp -d)
trap 'rm -rf "$stage"' EXIT
chmod 755 "$stage"

# The packages that own the shared libraries our programs load.
library_packages() {
    ldd "$stage"/usr/bin/ssid "$stage"/usr/bin/ssi "$stage"/usr/bin/ssi-testbed "$stage"/usr/bin/ssi-bench |
        awk '$2 == "=>" { print $3 }' | sort -u | while read -r library; do
            # dpkg knows a file by one of its names where /lib is /usr/lib.
            dpkg -S "$library" 2>/dev/null || dpkg -S "$(realpath "$library")" 2>/dev/null || dpkg -S "/usr$library"
        done | cut -d: -f1 | sort -u
}

# The C library's oldest version that has every symbol we use.
libc_version() {
    objdump -T "$stage"/usr/bin/* 2>/dev/null | grep -o 'GLIBC_[0-9.]*' | sed 's/GLIBC_//' | sort -Vu | tail -n 1
}

"$ROOT/tools/install.sh" install "$TARGET_DIR/release" "$stage" /usr
find "$stage/usr/share/man" -type f -exec gzip -9n {} +
install -D -m 644 "$ROOT/LICENSE-MIT" "$stage/usr/share/doc/ssi/LICENSE-MIT"
install -D -m 644 "$ROOT/LICENSE-APACHE" "$stage/usr/share/doc/ssi/LICENSE-APACHE"

depends="libc6 (>= $(libc_version))"
for package in $(library_packages | grep -vx libc6); do
    depends+=", $package"
done

mkdir "$stage/DEBIAN"
echo /etc/ssi/ssi.toml >"$stage/DEBIAN/conffiles"
cat >"$stage/DEBIAN/control" <<CONTROL
Package: ssi
Version: $version
Architecture: $arch
Maintainer: the ssi project <ssi@localhost>
Section: net
Priority: optional
Depends: $depends
Recommends: iproute2
Suggests: tmux, nginx-light | nginx, curl, wrk, haproxy, nftables
Installed-Size: $(du -sk --exclude=DEBIAN "$stage" | cut -f1)
Description: single-system-image cluster on unmodified Linux kernels
 Many Linux machines, one system: the node daemon ssid with its eBPF data path, the
 command ssi, a testbed that boots whole clusters on one machine, and the benchmark.
CONTROL
cat >"$stage/DEBIAN/postinst" <<'SCRIPT'
#!/bin/sh
set -e
if [ "$1" = configure ]; then
    getent group ssi >/dev/null || groupadd --system ssi
    # An upgraded daemon takes over its predecessor's data path; connections go on.
    if [ -d /run/systemd/system ]; then
        systemctl daemon-reload
        [ -z "$2" ] || systemctl try-restart ssid.service
    fi
fi
SCRIPT
cat >"$stage/DEBIAN/prerm" <<'SCRIPT'
#!/bin/sh
set -e
if [ "$1" = remove ]; then
    [ ! -d /run/systemd/system ] || systemctl disable --now ssid.service || true
    ssid --unload || true
fi
SCRIPT
cat >"$stage/DEBIAN/postrm" <<'SCRIPT'
#!/bin/sh
set -e
[ ! -d /run/systemd/system ] || systemctl daemon-reload
[ "$1" != purge ] || rm -rf /var/lib/ssi
SCRIPT
chmod 755 "$stage"/DEBIAN/{postinst,prerm,postrm}

package=$TARGET_DIR/ssi_${version}_$arch.deb
dpkg-deb --root-owner-group --build "$stage" "$package" >/dev/null
[ "$EUID" -ne 0 ] || chown "$BUILDER": "$package"
say "$package"
