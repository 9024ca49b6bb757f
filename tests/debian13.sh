#!/usr/bin/env bash
# `make test-debian13`: the tests on Debian 13, with its OpenSSH 10 and Python 3.13, in a root that
# debootstrap makes and the next run uses again. As root; takes a gigabyte or two.
set -euo pipefail
cd "$(dirname "$0")/.."
root=${DEBIAN13:-/var/tmp/tuihost-debian13}
mirror=${DEBIAN_MIRROR:-http://deb.debian.org/debian}

((EUID == 0)) || { echo "debootstrap and chroot need root." >&2; exit 1; }
command -v debootstrap >/dev/null || { echo "apt-get install debootstrap" >&2; exit 1; }

if [[ ! -e $root/ready ]]; then
  debootstrap --variant=minbase --include=ca-certificates,git,make,python3-venv trixie "$root" "$mirror"
  touch "$root/ready"
fi
# The names of hosts and the authorities that this machine goes by hold in there too.
cp /etc/resolv.conf "$root/etc/resolv.conf"
cp /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/ca-certificates.crt"
mkdir -p "$root/work"
find "$root/work" -mindepth 1 -maxdepth 1 ! -name '.venv*' ! -name .clients -exec rm -rf {} +
git ls-files -z --cached --others --exclude-standard |
  tar --null --files-from=- --create --ignore-failed-read | tar --extract --directory="$root/work"

# The mounts are gone with the last process in there.
exec unshare --mount --pid --fork --kill-child bash -euc '
  root=$1; shift
  mount --bind /dev "$root/dev"
  mount -t devpts -o newinstance,ptmxmode=0666 devpts "$root/dev/pts"
  mount -t tmpfs tmpfs "$root/dev/shm"
  mount -t proc proc "$root/proc"
  exec chroot "$root" env HOME=/root LANG=C.UTF-8 PATH=/usr/sbin:/usr/bin:/sbin:/bin CI=true \
    bash -euc "cd /work; .ci/install; make test ARGS=\"\$*\"" - "$@"
' - "$root" "$@"
