# SPDX-License-Identifier: BSL-1.0
# `./dev fresh 12`: the README's two commands as a newcomer would give them, in a Debian that has only git. Sourced by ./dev.

# fresh_debian <code name>
fresh_debian() {
  local release=$1 debian began=$SECONDS status=0
  if [ "$(id -u)" -ne 0 ]; then
    echo "dev: fresh makes a file system of its own and changes into it: run it as root (sudo ./dev fresh 12)." >&2
    exit 2
  fi
  git diff --quiet HEAD 2>/dev/null || echo "dev: what is not committed will not be seen: fresh clones HEAD."
  fresh_root=$(mktemp -d)
  trap fresh_remove EXIT
  debian=$fresh_root/debian

  environment_step "debootstrap $release" debootstrap --variant=minbase --include=git "$release" "$debian" "$(fresh_mirror)"
  fresh_network "$debian"
  mount -t proc proc "$debian/proc"
  step "clone HEAD" git clone --quiet --no-hardlinks . "$debian/settle"
  echo "   a minimal Debian after $((SECONDS - began)) s"

  fresh_run "$debian" demo || status=1
  [ $status -ne 0 ] || fresh_run "$debian" test || status=1
  if [ $status -ne 0 ]; then
    echo "dev: a newcomer would have failed here: mend what the last lines above say." >&2
    exit 1
  fi
  echo "dev: a newcomer succeeds; all of it took $((SECONDS - began)) s."
}

fresh_run() {
  local began=$SECONDS status
  printf '\n== in a fresh Debian: ./dev %s\n' "$2"
  env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/tmp LANG=C.UTF-8 TERM="${TERM:-dumb}" \
    ${http_proxy:+http_proxy="$http_proxy"} ${https_proxy:+https_proxy="$https_proxy"} \
    chroot "$1" sh -c "cd /settle && ./dev $2"
  status=$?
  printf '== ./dev %s ended with status %d after %d s\n' "$2" $status $((SECONDS - began))
  return $status
}

# The mirror this machine uses, when it is a Debian.
fresh_mirror() {
  local site
  site=$(apt-get indextargets --format '$(SITE)' 'Origin: Debian' 'Label: Debian' 2>/dev/null | head -n 1)
  echo "${site:-http://deb.debian.org/debian}"
}

# Names are resolved and packages fetched the way this machine does it.
fresh_network() {
  cp /etc/resolv.conf /etc/hosts "$1/etc/" 2>/dev/null
  apt-config dump 2>/dev/null | grep '^Acquire::' >"$1/etc/apt/apt.conf.d/00host"
}

fresh_remove() {
  umount "$fresh_root/debian/proc" 2>/dev/null
  rm -rf --one-file-system "$fresh_root"
}
