# cmake -D ROOT=… -D TO=… -P revision.cmake: writes a source with the commit of the tree in ROOT, for --version. The file
# changes only with the commit, so that a build of the same commit links nothing again.
cmake_minimum_required(VERSION 3.24...3.31)
execute_process(COMMAND git -C "${ROOT}" describe --always --dirty=+ --abbrev=12 --exclude=*
    OUTPUT_VARIABLE revision ERROR_QUIET OUTPUT_STRIP_TRAILING_WHITESPACE)
if(NOT revision)
    set(revision unknown)
endif()
file(CONFIGURE OUTPUT "${TO}" @ONLY CONTENT
"#include \"wedge/main/version.hpp\"\n\nconst char* wedge::revision_of_build() noexcept {\n    return \"@revision@\";\n}\n")
