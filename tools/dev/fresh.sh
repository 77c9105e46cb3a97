# SPDX-License-Identifier: BSL-1.0
# `./dev fresh`: the README's two commands as a newcomer would give them, in a Debian that has only git. Sourced by ./dev.

# fresh_debian <code name> <what the user called it>
fresh_debian() {
  local release=$1 debian began=$SECONDS status=0
  if [ "$(id -u)" -ne 0 ]; then
    echo "dev: fresh makes a file system of its own and changes into it: run it as root (sudo ./dev fresh $2)." >&2
    exit 2
  fi
  git diff --quiet HEAD 2>/dev/null || echo "dev: what is not committed will not be seen: fresh clones HEAD."
  fresh_root=$(mktemp -d)
  trap fresh_remove EXIT
  debian=$fresh_root/debian

  fresh_bootstrap "$release" "$debian" "$(fresh_mirror)"
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

# fresh_bootstrap <code name> <folder> <mirror>: a Debian whose packages are signed, or one sentence about what is missing.
fresh_bootstrap() {
  local release=$1 folder=$2 mirror=$3 title="debootstrap $1" script="" said why="check the network and the package sources"
  local keyring=/usr/share/keyrings/debian-archive-keyring.gpg
  # A release that is newer than this machine's debootstrap is made as unstable is.
  [ -e "/usr/share/debootstrap/scripts/$release" ] || script=sid
  run_logged "$title" debootstrap --variant=minbase --include=git --keyring="$keyring" "$release" "$folder" "$mirror" $script && return
  said=$(cat "$logs/debootstrap-$release.log" "$folder/debootstrap/debootstrap.log" 2>/dev/null)
  case "$said" in
    *"Failed getting release file"*) why="$mirror has no Debian $release or cannot be reached" ;;
    *"unknown key"* | *"Invalid Release signature"* | *"keyring file not available"*)
      why="the keys in debian-archive-keyring do not sign Debian $release: install a newer debian-archive-keyring" ;;
    *"No such script"*) why="debootstrap knows neither $release nor sid: install a newer debootstrap" ;;
    *"No space left"*) why="there is no room in ${TMPDIR:-/tmp}: about 3 GB are needed" ;;
  esac
  echo "dev: no Debian $release could be made: $why." >&2
  exit 2
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
