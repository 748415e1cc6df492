# Debian packages.
# shellcheck shell=bash

BUILD_PACKAGES=(gcc libc6-dev make git curl ca-certificates pkg-config libelf-dev zlib1g-dev)
# What the testbed, the tests and the bench run: network tools, real servers, real clients,
# and the peers that the bench measures against. (netbase: names of protocols for `ip rule`.)
RUN_PACKAGES=(iproute2 iputils-ping netbase procps util-linux tmux ethtool nftables jq tcpdump bpftool
    vim-tiny nginx libnginx-mod-stream dnsmasq-base haproxy ipvsadm wrk corosync serf etcd-server
    runit s6 supervisor monit systemd openssh-client openssh-server redis-server postgresql)
# Of those, the ones that bring a service we only want the program of; PACKAGE:SERVICE where
# the names differ.
SERVICES=(nginx haproxy ipvsadm corosync serf etcd-server:etcd supervisor monit openssh-server:ssh redis-server postgresql)

missing_packages() {
    local package
    for package in "${BUILD_PACKAGES[@]}" "${RUN_PACKAGES[@]}"; do
        grep -qx "$package installed" <<<"$1" || printf '%s ' "$package"
    done
}

install_packages() {
    local missing
    command -v apt-get >/dev/null ||
        die "this is not Debian (no apt-get); install by hand what ${BUILD_PACKAGES[*]} ${RUN_PACKAGES[*]} are called here"
    # shellcheck disable=SC2016 # dpkg's own variables
    missing=$(missing_packages "$(dpkg-query -W -f '${Package} ${db:Status-Status}\n' "${BUILD_PACKAGES[@]}" "${RUN_PACKAGES[@]}" 2>/dev/null)")
    [ -n "$missing" ] || return 0
    [ "$EUID" -eq 0 ] || die "Debian packages are missing: ${missing% }; run: sudo make toolchain"
    say "Debian packages: installing ${missing% }"
    # shellcheck disable=SC2086 # a list
    quiet_install $missing
}

# Installs without letting a package's script start its service, and leaves no service
# enabled that wasn't there before: nginx must not take this machine's port 80.
quiet_install() {
    local log status=0 service new=()
    log=$(mktemp)
    for service in "${SERVICES[@]}"; do
        [[ " $* " == *" ${service%%:*} "* ]] && new+=("${service##*:}")
    done
    if [ ! -e /usr/sbin/policy-rc.d ]; then
        trap 'rm -f /usr/sbin/policy-rc.d' EXIT
        printf '#!/bin/sh\nexit 101\n' >/usr/sbin/policy-rc.d
        chmod 755 /usr/sbin/policy-rc.d
    fi
    export DEBIAN_FRONTEND=noninteractive
    local apt=(apt-get -qy -o DPkg::Lock::Timeout=120 -o Acquire::Retries=2)
    { "${apt[@]}" update && "${apt[@]}" install --no-install-recommends "$@"; } >"$log" 2>&1 || status=$?
    if [ -n "$(trap -p EXIT)" ]; then
        rm -f /usr/sbin/policy-rc.d
        trap - EXIT
    fi
    for service in "${new[@]}"; do
        disable_service "$service"
    done
    if [ "$status" -ne 0 ]; then
        { grep '^E: ' "$log" || tail -n 8 "$log"; } | cut -c1-200 | tail -n 4 >&2
        die "apt-get could not install: $*; the full log is $log. Check the package sources and the network, then run make toolchain again"
    fi
    rm -f "$log"
}

disable_service() {
    if [ -d /run/systemd/system ]; then
        systemctl disable --now "$1.service" >/dev/null 2>&1 || true
    else
        rm -f "/etc/systemd/system/multi-user.target.wants/$1.service"
    fi
    # Machines that boot with System V scripts.
    if command -v update-rc.d >/dev/null; then
        update-rc.d "$1" disable >/dev/null 2>&1 || true
    fi
}
