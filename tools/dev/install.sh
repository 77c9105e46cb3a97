# SPDX-License-Identifier: BSL-1.0
# What each command needs, and how to get it. Sourced by ./dev.
no_install=0

# need <group>...: installs what the groups need and this machine lacks; ends with status 2 when that is not possible.
need() {
  local missing
  if command -v apt-get >/dev/null; then
    mapfile -t missing < <(apt_missing "$@")
    [ "${#missing[@]}" -eq 0 ] || install_with "apt-get install -y --no-install-recommends" "${missing[@]}"
  elif command -v dnf >/dev/null; then # untested
    mapfile -t missing < <(tools_missing "$@")
    [ "${#missing[@]}" -eq 0 ] || install_with "dnf install -y" gcc-c++ cmake ninja-build python3 asio-devel libuv-devel libnghttp2-devel boost-devel gtest-devel libcurl-devel curl nghttp2 git
  elif command -v brew >/dev/null; then # untested
    mapfile -t missing < <(tools_missing "$@")
    [ "${#missing[@]}" -eq 0 ] || install_with "brew install" cmake ninja python asio libuv libnghttp2 boost googletest curl nghttp2
  else
    mapfile -t missing < <(tools_missing "$@")
    [ "${#missing[@]}" -eq 0 ] || missing_anyway "${missing[@]}"
  fi
}

# The Debian packages of a group. Ubuntu has the same names.
apt_packages() {
  case "$1" in
    build) echo g++ cmake ninja-build python3 libasio-dev libuv1-dev libnghttp2-dev libboost-dev ;;
    demo) echo curl nghttp2-client ;;
    test) echo libgtest-dev libcurl4-openssl-dev ;; # an example wraps libcurl
    bench) echo libbenchmark-dev libboost-thread-dev ;;
    servers) echo nghttp2-client nghttp2-server nginx $(command -v node >/dev/null || echo nodejs) $(apt_h2o) ;; # what HTTP/2 is compared with
    counts) echo valgrind clang-19 ;; # instructions, template instantiations
    lint) echo git clang-tidy-19 clang-format-19 ;;
    check) echo git gcc spin valgrind clang-16 clang-19 libclang-rt-16-dev libclang-rt-19-dev clang-tidy-19 clang-format-19 ;;
    cross) echo python3-venv qemu-user wine64 ;;
    single) echo python3 ;;
    docs) echo doxygen ;;
    fresh) echo debootstrap debian-archive-keyring git ;;
  esac
}

# Debian 12 has h2o, later ones do not.
apt_h2o() {
  (. /etc/os-release && [ "${ID:-} ${VERSION_ID:-}" = "debian 12" ] && echo h2o) || true
}

apt_missing() {
  local group package
  for group in "$@"; do
    for package in $(apt_packages "$group"); do
      [ "$(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || echo "$package"
    done
  done | sort -u
}

# Elsewhere we look for the programs only; headers that are missing are named by the configure step.
tools_missing() {
  local group tool
  for group in "$@"; do
    case "$group" in
      build) set -- c++ cmake ninja python3 ;;
      demo) set -- curl h2load ;;
      servers) set -- h2load ;; # the peers that are missing are left out
      test | bench) set -- ;;
      lint) set -- git clang-tidy-19 clang-format-19 ;;
      counts) set -- valgrind clang++-19 ;;
      check) set -- git spin valgrind clang++-16 clang++-19 clang-tidy-19 clang-format-19 ;;
      cross) set -- python3 qemu-aarch64 wine64 ;;
      single) set -- python3 ;;
      docs) set -- doxygen ;;
      fresh) set -- debootstrap git ;;
    esac
    for tool in "$@"; do command -v "$tool" >/dev/null || echo "$tool"; done
  done | sort -u
}

missing_anyway() {
  echo "dev: missing: $*" >&2
  echo "dev: install that with your package manager, then run the same command again." >&2
  exit 2
}

install_with() {
  local manager=$1 sudo=""
  shift
  case "$manager" in
    apt-get*) [ "$(id -u)" -eq 0 ] || sudo="sudo " ;;
    dnf*) [ "$(id -u)" -eq 0 ] || sudo="sudo " ;;
  esac
  echo "dev: this needs: $*"
  echo "dev: the command for it: $sudo$manager $*"
  [ "$no_install" -eq 0 ] || missing_anyway "$@"
  [ -z "$sudo" ] || sudo -v || missing_anyway "$@"
  case "$manager" in
    apt-get*)
      export DEBIAN_FRONTEND=noninteractive
      environment_step "update the package lists" ${sudo}apt-get -o DPkg::Lock::Timeout=600 update -q
      environment_step "install" ${sudo}env DEBIAN_FRONTEND=noninteractive $manager -q -o DPkg::Lock::Timeout=600 "$@"
      ;;
    *) environment_step "install" $sudo$manager "$@" ;;
  esac
}
