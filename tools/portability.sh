#!/bin/sh
# Checks packages, standard libraries, language modes and machines: tools/portability.sh [CHECK...]
#
# Run it in the root of the tree. Without names all checks run. A check whose tool is not installed says so and is
# skipped. Status 1: a check failed.
set -u
root=$(pwd)
[ -f "$root/include/wedge/wedge.hpp" ] || { echo "portability.sh: run it in the root of the tree" >&2; exit 2; }
all="pkg_config amalgamated libcxx no_exceptions cxx23 level_0 aarch64 debian vcpkg conan"
scratch=$(mktemp -d) || exit 2
trap 'rm -rf "$scratch"' EXIT
warnings="-Wall -Wextra -Wpedantic -Wconversion -Wshadow -Werror"
use="$root/tests/consumer"
order="$root/cmake/implement_order.cpp"

needs() {
    for tool in "$@"; do
        command -v "$tool" >/dev/null || { echo "   needs $tool, which is not installed"; return 1; }
    done
}

# Compiles each of the two users with the checker, and runs it: use_with RUNNER COMPILER FLAGS...
use_with() {
    runner=$1
    shift
    for user in use_wedge use_std; do
        "$@" $warnings -I"$root/include" "$use/$user.cpp" "$order" -pthread -o "$scratch/$user" || return 1
        $runner "$scratch/$user" || return 1
    done
}

check_pkg_config() {
    needs pkg-config cmake c++ || return 77
    cmake -S "$root" -B "$scratch/build" -DWEDGE_BUILD_TESTS=OFF -DWEDGE_BUILD_EXAMPLES=OFF -DWEDGE_BUILD_TOOLS=OFF \
        >"$scratch/log" || return 1
    cmake --install "$scratch/build" --prefix "$scratch/prefix" >>"$scratch/log" || return 1
    export PKG_CONFIG_PATH="$scratch/prefix/share/pkgconfig"
    pkg-config --exact-version="$(sed -n 's/^project(wedge VERSION \([0-9.]*\) .*/\1/p' CMakeLists.txt)" wedge || return 1
    c++ -std=c++20 $(pkg-config --cflags wedge) "$use/use_wedge.cpp" \
        "$(pkg-config --variable=sources wedge)/implement_order.cpp" $(pkg-config --libs wedge) -o "$scratch/used" || return 1
    "$scratch/used" && pkg-config --libs --cflags wedge-explore | grep -q boost_context
}

check_amalgamated() {
    needs c++ || return 77
    sh cmake/amalgamate.sh include >"$scratch/wedge-all.hpp" || return 1
    ! grep -n 'include "wedge/' "$scratch/wedge-all.hpp" || return 1
    cat >"$scratch/all.cpp" <<'END'
#define WEDGE_IMPLEMENT
#include "wedge-all.hpp"
int main() {
    wstd::mutex a, b;
    const auto f = [&] { wstd::scoped_lock held(a, b); };
    return wedge::explore({f, f}).what == wedge::result::sound ? 0 : 1;
}
END
    c++ -std=c++20 -I"$scratch" "$scratch/all.cpp" -pthread -o "$scratch/all" && "$scratch/all"
}

check_libcxx() {
    needs clang++ || return 77
    echo '#include <vector>' | clang++ -stdlib=libc++ -x c++ -fsyntax-only - 2>/dev/null ||
        { echo "   needs libc++-dev, which is not installed"; return 77; }
    use_with "" clang++ -std=c++20 -stdlib=libc++
}

# The locks and the checker; wstd throws std::system_error, so it needs exceptions.
check_no_exceptions() {
    needs c++ || return 77
    c++ -std=c++20 -fno-exceptions -fno-rtti $warnings -Iinclude "$use/use_wedge.cpp" "$order" -pthread -o "$scratch/plain" &&
        "$scratch/plain"
}

check_cxx23() {
    needs g++ || return 77
    use_with "" g++ -std=c++23 || return 1
    command -v clang++ >/dev/null || return 0
    use_with "" clang++ -std=c++2b
}

check_level_0() {
    needs c++ || return 77
    use_with "" c++ -std=c++20 -DWEDGE_LEVEL=0
}

check_aarch64() {
    needs aarch64-linux-gnu-g++ qemu-aarch64 || return 77
    use_with qemu-aarch64 aarch64-linux-gnu-g++ -std=c++20 -static
}

check_debian() {
    needs dpkg-buildpackage dh lintian || return 77
    mkdir "$scratch/deb" && git archive --prefix=wedge/ HEAD | tar -x -C "$scratch/deb" || return 1
    (cd "$scratch/deb/wedge" && dpkg-buildpackage -b -us -uc >"$scratch/log" 2>&1) ||
        { tail -20 "$scratch/log"; return 1; }
    lintian --fail-on error,warning "$scratch"/deb/*.deb
}

check_vcpkg() {
    needs vcpkg || return 77
    vcpkg install wedge --overlay-ports=packaging/vcpkg --x-install-root="$scratch/vcpkg"
}

check_conan() {
    needs conan || return 77
    conan create packaging/conan -o '&:fibers=False' >"$scratch/log" 2>&1 || { tail -20 "$scratch/log"; return 1; }
}

failed=0
for name in ${*:-$all}; do
    case " $all " in
        *" $name "*) ;;
        *) echo "portability.sh: no check '$name'; there are: $all" >&2; exit 2 ;;
    esac
    echo "== $name"
    "check_$name"
    case $? in
        0) echo "   passed" ;;
        77) echo "   skipped" ;;
        *) echo "   FAILED"; failed=1 ;;
    esac
done
exit $failed
