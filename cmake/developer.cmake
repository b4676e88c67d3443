# What wedge's own tests, examples, tools and benchmarks share. Nothing here changes a user's target.
include(${CMAKE_CURRENT_LIST_DIR}/lines.cmake)

# Line tables are all that a report needs, and cost a third of the time of full debug information. Only
# clang makes UBSan's checks of each single access: under gcc they double the compile time.
set(WEDGE_SANITIZE_OPTIONS)
if(WEDGE_SANITIZE)
    set(WEDGE_SANITIZE_OPTIONS -fsanitize=${WEDGE_SANITIZE} -fno-omit-frame-pointer -g1)
    if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND WEDGE_SANITIZE MATCHES "undefined")
        list(APPEND WEDGE_SANITIZE_OPTIONS -fno-sanitize=null,alignment,object-size,vptr)
    endif()
endif()

# If LLVM's linker is installed, it links the programs of the tests: it takes a fifth of the CPU time of GNU ld.
find_program(WEDGE_LLD ld.lld)
mark_as_advanced(WEDGE_LLD)

# Sets warnings and sanitizers of a target of this repository. These programs link the engines from a library, so that
# each engine is compiled once: that of wedge_implement_once(), or the second argument; `none`: they need no engine.
function(wedge_developer target)
    set(implementation wedge_implementation)
    if(ARGC GREATER 1)
        set(implementation ${ARGV1})
    endif()
    set_target_properties(${target} PROPERTIES WEDGE_IMPLEMENTED ON)
    get_target_property(type ${target} TYPE)
    if(type STREQUAL "EXECUTABLE")
        if(NOT implementation STREQUAL "none")
            target_link_libraries(${target} PRIVATE $<LINK_ONLY:${implementation}>)
        endif()
        if(WEDGE_LLD AND WEDGE_BUILD_TESTS)
            target_link_options(${target} PRIVATE -fuse-ld=lld)
        endif()
    endif()
    target_compile_options(${target} PRIVATE -Wall -Wextra -Wpedantic -Wconversion -Wshadow)
    if(WEDGE_WARNINGS_ARE_ERRORS)
        target_compile_options(${target} PRIVATE -Werror)
    endif()
    if(CMAKE_CXX_COMPILER_ID MATCHES "Clang")
        target_compile_options(${target} PRIVATE $<$<COMPILE_LANGUAGE:CXX>:-Wthread-safety>)
    elseif(CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
        # gcc 12 warns of each `"text" + std::string` that it optimises: https://gcc.gnu.org/bugzilla/show_bug.cgi?id=105651
        target_compile_options(${target} PRIVATE -Wno-restrict)
    endif()
    if(WEDGE_SANITIZE)
        target_compile_options(${target} PRIVATE ${WEDGE_SANITIZE_OPTIONS})
        target_link_options(${target} PRIVATE -fsanitize=${WEDGE_SANITIZE})
    endif()
    set_target_properties(${target} PROPERTIES
        CXX_EXTENSIONS OFF
        RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/bin)
endfunction()

# Compiles the sources that implement wedge once for all programs of this repository. `./dev test` compiles them with -O1 under gcc:
# under its sanitizers the tests then take half the time, and the sources a quarter more time to compile. In a unity build
# they are one source, since most of what they need is the same. The source of fuzz targets is apart: it defines functions
# that change sanitizers and libFuzzer.
set(WEDGE_ENGINE_OPTIONS "" CACHE STRING "Options to compile our own engines with, such as -O1")
set(WEDGE_TEST_LAYERS "" CACHE STRING "Beginnings of the names in tests/ of what is built, such as lock/;explore/choices, without wedge::main; empty: all")
set(WEDGE_TESTS_WITHOUT "" CACHE STRING "Beginnings of the names in tests/ of what is not built")
set(WEDGE_PARTS order explore fuzz stress)
if(WEDGE_TEST_LAYERS)
    list(REMOVE_ITEM WEDGE_PARTS fuzz)
elseif(TARGET wedge::main AND (WEDGE_BUILD_TESTS OR WEDGE_BUILD_EXAMPLES OR WEDGE_BUILD_TOOLS))
    list(APPEND WEDGE_PARTS main)
else()  # without CLI11, or for benchmarks and fuzz targets alone
    list(APPEND WEDGE_PARTS scenario)
endif()
function(wedge_add_implementation target)  # and its parts
    add_library(${target} STATIC EXCLUDE_FROM_ALL)
    foreach(part IN LISTS ARGN)
        target_sources(${target} PRIVATE "${PROJECT_SOURCE_DIR}/cmake/implement_${part}.cpp")
        if(TARGET wedge_${part})
            target_link_libraries(${target} PRIVATE wedge_${part})
        endif()
    endforeach()
    set_source_files_properties("${PROJECT_SOURCE_DIR}/cmake/implement_fuzz.cpp" PROPERTIES SKIP_UNITY_BUILD_INCLUSION ON)
    wedge_developer(${target})
endfunction()
function(wedge_implement_once)
    wedge_add_implementation(wedge_implementation ${WEDGE_PARTS})
    wedge_precompiled(wedge_implementation)
    target_compile_options(wedge_implementation PRIVATE ${WEDGE_ENGINE_OPTIONS})
    if(WEDGE_ENGINE_OPTIONS)  # the tests of such a build run no fuzz target
        set_source_files_properties("${PROJECT_SOURCE_DIR}/cmake/implement_fuzz.cpp" PROPERTIES COMPILE_OPTIONS -O0)
    endif()
endfunction()

# Sets the sanitizers of a fuzz target, without those parts of wedge that the ignore list names.
function(wedge_fuzzer_checks target)
    if(WEDGE_SANITIZE)
        set(trusted "${PROJECT_SOURCE_DIR}/cmake/fuzz_uninstrumented.txt")
        target_compile_options(${target} PRIVATE "-fsanitize-ignorelist=${trusted}")
        # vptr finds types by the addresses of their tables, so coverage would differ from run to run.
        target_compile_options(${target} PRIVATE -fno-sanitize=vptr)
        get_target_property(sources ${target} SOURCES)
        set_property(SOURCE ${sources} APPEND PROPERTY OBJECT_DEPENDS "${trusted}")
    endif()
endfunction()

# Compiles the engines once for all fuzz targets, with the sanitizers of a fuzz target.
function(wedge_implement_fuzzers)
    wedge_add_implementation(wedge_fuzz_implementation order explore fuzz stress)
    wedge_fuzzer_checks(wedge_fuzz_implementation)
endfunction()

# Makes an executable that libFuzzer runs.
function(wedge_add_fuzzer target source)
    if(NOT CMAKE_CXX_COMPILER_ID MATCHES "Clang")
        message(FATAL_ERROR "wedge: WEDGE_FUZZERS needs clang, this is ${CMAKE_CXX_COMPILER_ID}")
    endif()
    add_executable(${target} ${source})
    target_link_libraries(${target} PRIVATE wedge::explore)
    if(TARGET wedge_fuzz_implementation)
        wedge_developer(${target} wedge_fuzz_implementation)
    else()
        wedge_developer(${target})
    endif()
    target_link_options(${target} PRIVATE -fsanitize=fuzzer)
endfunction()

# Lets libFuzzer see the branches of a target, by the given option. `HAS_PROGRAM` says that the bytes of an input are a
# program. The code compares such bytes with nothing, so tracing comparisons would find nothing and cost a quarter of the
# inputs per second.
function(wedge_fuzzer_coverage target option)
    set(ignored "${PROJECT_SOURCE_DIR}/fuzz/std_ignorelist.txt")
    if("HAS_PROGRAM" IN_LIST ARGN)
        set(ignored "${PROJECT_SOURCE_DIR}/cmake/fuzz_ignorelist.txt")
    endif()
    target_compile_options(${target} PRIVATE ${option} "-fsanitize-coverage-ignorelist=${ignored}")
    if("HAS_PROGRAM" IN_LIST ARGN)
        target_compile_options(${target} PRIVATE -fno-sanitize-coverage=trace-cmp,indirect-calls)
    endif()
    get_target_property(sources ${target} SOURCES)
    set_property(SOURCE ${sources} APPEND PROPERTY OBJECT_DEPENDS "${ignored}")
endfunction()

# Builds a libFuzzer target from one source; an option is HAS_PROGRAM.
#
# Under TSan the code has no branch coverage, since older clangs report libFuzzer's counters as races. The orders and
# contention of fuzz/coverage.hpp guide libFuzzer there.
function(wedge_fuzzer target source)
    wedge_add_fuzzer(${target} ${source})
    target_include_directories(${target} PRIVATE "${PROJECT_SOURCE_DIR}/tests")
    if(NOT WEDGE_KIND STREQUAL "tsan")
        wedge_fuzzer_coverage(${target} -fsanitize=fuzzer ${ARGN})
    endif()
    wedge_fuzzer_checks(${target})
endfunction()

# Builds a libFuzzer target from the objects of a library, which use the precompiled headers. For such objects clang refuses
# -fsanitize=fuzzer, since the headers were compiled without; so this names what that option turns on.
function(wedge_fuzzer_of_objects target library)
    wedge_fuzzer_coverage(${library} -fsanitize-coverage=inline-8bit-counters,indirect-calls,trace-cmp,pc-table ${ARGN})
    wedge_add_fuzzer(${target} $<TARGET_OBJECTS:${library}>)
    wedge_precompiled(${target})
endfunction()

# The largest target that is available: programs may use WEDGE_MAIN if CLI11 is installed.
set(WEDGE_BEST_TARGET wedge::explore)
if(main IN_LIST WEDGE_PARTS)
    set(WEDGE_BEST_TARGET wedge::main)
endif()

# With WEDGE_PRECOMPILED, most headers are parsed once, and their inline functions compiled once, for all programs that
# wedge_precompiled() names. Each program then compiles only its own text. This needs clang: only clang puts the functions
# of a precompiled header into an object file of their own (-fmodules-codegen).
function(wedge_precompile)
    if(NOT CMAKE_CXX_COMPILER_ID MATCHES "Clang")
        message(FATAL_ERROR "wedge: WEDGE_PRECOMPILED needs clang, this is ${CMAKE_CXX_COMPILER_ID}")
    endif()
    file(GLOB_RECURSE headers RELATIVE "${PROJECT_SOURCE_DIR}/include" CONFIGURE_DEPENDS
         "${PROJECT_SOURCE_DIR}/include/wedge/*.hpp")
    list(REMOVE_ITEM headers wedge/model/replace_new.hpp)  # for one source of a program
    list(FILTER headers EXCLUDE REGEX "^wedge/implement/")  # likewise
    list(FILTER headers EXCLUDE REGEX "^wedge/linux")  # their macros have the names of the kernel
    list(FILTER headers EXCLUDE REGEX "^wedge/adapt/")  # UBSan needs the libraries that they include
    list(FILTER headers EXCLUDE REGEX "^wedge/(fuzz/|main/|fuzz[.]|main[.])")  # their counters' sections would be read-only
    set_property(GLOBAL PROPERTY WEDGE_PRECOMPILED_HEADERS ${headers})
    if(TARGET wedge::main)
        list(APPEND headers CLI/CLI.hpp)
    endif()
    list(TRANSFORM headers REPLACE ".+" "#include \"\\0\"\n")
    string(CONCAT includes ${headers})
    set(folder "${PROJECT_BINARY_DIR}/precompiled")
    file(CONFIGURE OUTPUT "${folder}/headers.cpp" CONTENT "${includes}" @ONLY)

    add_library(wedge_headers OBJECT "${folder}/headers.cpp")
    target_link_libraries(wedge_headers PRIVATE ${WEDGE_BEST_TARGET})
    wedge_developer(wedge_headers)
    target_compile_options(wedge_headers PRIVATE
        -x c++-header "SHELL:-Xclang -emit-pch" "SHELL:-Xclang -fmodules-codegen" -fpch-instantiate-templates)
    set_target_properties(wedge_headers PROPERTIES UNITY_BUILD OFF)

    string(TOUPPER "${CMAKE_BUILD_TYPE}" type)
    set(flags "${CMAKE_CXX_FLAGS} ${CMAKE_CXX_FLAGS_${type}}")
    separate_arguments(flags UNIX_COMMAND "${flags}")
    list(APPEND flags ${WEDGE_SANITIZE_OPTIONS})
    add_custom_command(OUTPUT "${folder}/functions.o" DEPENDS wedge_headers $<TARGET_OBJECTS:wedge_headers>
        COMMAND "${CMAKE_CXX_COMPILER}" ${flags} -ffunction-sections -c -x pcm $<TARGET_OBJECTS:wedge_headers>
                -o "${folder}/functions.o" VERBATIM)
    add_library(wedge_functions STATIC "${folder}/functions.o")
    set_target_properties(wedge_functions PROPERTIES LINKER_LANGUAGE CXX)
    # The object has all functions, also uncalled ones of the standard library that call missing symbols.
    target_link_options(wedge_functions INTERFACE -Wl,--gc-sections)
endfunction()

# Lets a program use the precompiled headers. Its flags must be those of wedge_developer(), and it must define no macro
# that a header of wedge reads.
function(wedge_precompiled target)
    if(WEDGE_PRECOMPILED)
        target_compile_options(${target} PRIVATE "SHELL:-include-pch $<TARGET_OBJECTS:wedge_headers>")
        target_link_libraries(${target} PRIVATE wedge_functions)
        add_dependencies(${target} wedge_headers)
    endif()
endfunction()

set(WEDGE_TIMEOUT 120)
set(WEDGE_KIND plain)
if(WEDGE_SANITIZE MATCHES "thread")
    set(WEDGE_TIMEOUT 300)
    set(WEDGE_KIND tsan)
elseif(WEDGE_SANITIZE MATCHES "address")
    set(WEDGE_TIMEOUT 300)
    set(WEDGE_KIND asan)
endif()

# wedge_case(NAME command...): adds a ctest case with the time limit and the environment of all cases.
function(wedge_case name)
    set(full "${WEDGE_TEST_PREFIX}${name}")
    add_test(NAME "${full}" COMMAND ${ARGN})
    set_tests_properties("${full}" PROPERTIES
        TIMEOUT ${WEDGE_TIMEOUT}
        ENVIRONMENT "TSAN_OPTIONS=halt_on_error=0:report_signal_unsafe=0:exitcode=66;ASAN_OPTIONS=detect_leaks=1;UBSAN_OPTIONS=print_stacktrace=1:halt_on_error=1")
    if(WEDGE_TEST_PREFIX)
        string(REGEX REPLACE "[:/]+$" "" label "${WEDGE_TEST_PREFIX}")
        set_tests_properties("${full}" PROPERTIES LABELS "${label}")
    endif()
endfunction()

# wedge_cases_of(TARGET FILE FOLDER argument...): registers the ctest cases that the comments of FILE ask for, as
# FOLDER/NAME, each a run of TARGET with these arguments and its own:
#   // ctest: NAME [when=tsan|asan|plain|any] [exit=N|abort] args... => REGEX      the output must match
#   // ctest: NAME ... =/> REGEX                                                   the output must not match
# `when` takes a list with commas. The regular expression is CMake's: its `.` matches a line end too,
# and `\n` is a line end. A program without a case in this configuration is built only on demand.
function(wedge_cases_of target file folder)
    if(NOT WEDGE_BUILD_TESTS)
        return()
    endif()
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${file}")  # its comments are part of the build
    wedge_lines(lines "${file}" "^//+ *ctest:")
    set_target_properties(${target} PROPERTIES EXCLUDE_FROM_ALL ON)
    foreach(line IN LISTS lines)
        if(NOT line MATCHES "^//+ *ctest: *([^ ]+)(.*) (=/?>) (.+)$")
            message(FATAL_ERROR "${file}: not a ctest line (NAME [when=] [exit=] args => REGEX): ${line}")
        endif()
        set(name "${CMAKE_MATCH_1}")
        set(arguments "${CMAKE_MATCH_2}")
        set(arrow "${CMAKE_MATCH_3}")
        set(regex "${CMAKE_MATCH_4}")
        set(when any)
        set(status 0)
        while(arguments MATCHES "^ +(when|exit)=([^ ]*)(.*)$")
            set(arguments "${CMAKE_MATCH_3}")
            if(CMAKE_MATCH_1 STREQUAL "when")
                string(REPLACE "," ";" when "${CMAKE_MATCH_2}")
            else()
                set(status "${CMAKE_MATCH_2}")
            endif()
        endwhile()
        foreach(word IN LISTS when)
            if(NOT word MATCHES "^(tsan|asan|plain|any)$")
                message(FATAL_ERROR "${file}: when=${word} is none of tsan, asan, plain, any: ${line}")
            endif()
        endforeach()
        if(NOT status MATCHES "^([0-9]+|abort)$")
            message(FATAL_ERROR "${file}: exit=${status} is neither a number nor abort: ${line}")
        endif()
        if(NOT ("any" IN_LIST when OR WEDGE_KIND IN_LIST when))
            continue()
        endif()
        set_target_properties(${target} PROPERTIES EXCLUDE_FROM_ALL OFF)
        separate_arguments(arguments UNIX_COMMAND "${arguments}")
        math(EXPR inner_timeout "${WEDGE_TIMEOUT} - 10")  # so that a hanging program's output is still shown
        wedge_case("${folder}/${name}" ${CMAKE_COMMAND}
            "-DEXIT=${status}" "-DARROW=${arrow}" "-DREGEX=${regex}" "-DTIMEOUT=${inner_timeout}"
            "-DDIRECTORY=${CMAKE_CURRENT_BINARY_DIR}/run/${folder}/${name}"
            -P ${PROJECT_SOURCE_DIR}/cmake/run_and_match.cmake -- $<TARGET_FILE:${target}> ${ARGN} ${arguments})
    endforeach()
endfunction()

# Builds each FOLDER/*.cpp into a program PREFIX<file> and registers its cases. A line `// level: N` sets WEDGE_LEVEL
# for this program; it then links wedge::wedge alone, as exploring needs the default level.
function(wedge_programs folder prefix)
    file(GLOB sources CONFIGURE_DEPENDS "${CMAKE_CURRENT_SOURCE_DIR}/${folder}/*.cpp")
    get_filename_component(shown "${CMAKE_CURRENT_SOURCE_DIR}/${folder}" ABSOLUTE)
    get_filename_component(shown "${shown}" NAME)
    foreach(source IN LISTS sources)
        get_filename_component(name "${source}" NAME_WE)
        add_executable(${prefix}${name} ${source})
        wedge_lines(level "${source}" "^// level: ")
        if(level)
            string(REGEX REPLACE "^// level: *" "" level "${level}")
            target_link_libraries(${prefix}${name} PRIVATE wedge::wedge)
            target_compile_definitions(${prefix}${name} PRIVATE WEDGE_LEVEL=${level})
        else()
            target_link_libraries(${prefix}${name} PRIVATE ${WEDGE_BEST_TARGET})
            wedge_precompiled(${prefix}${name})
        endif()
        wedge_developer(${prefix}${name})
        if(level)
            set_target_properties(${prefix}${name} PROPERTIES WEDGE_IMPLEMENTED OFF)
        endif()
        wedge_cases_of(${prefix}${name} "${source}" "${shown}")
    endforeach()
endfunction()
