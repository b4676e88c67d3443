# Configures, builds and runs a consumer project: cmake -DKIND= -DSOURCE= -DBUILD= -DCOMPILER= -DGENERATOR= -P consumer.cmake
set(scratch "${BUILD}/consumer/${KIND}")
file(REMOVE_RECURSE "${scratch}")

function(step)
    execute_process(COMMAND ${ARGN} RESULT_VARIABLE status OUTPUT_VARIABLE output ERROR_VARIABLE output)
    if(NOT status EQUAL 0)
        list(JOIN ARGN " " shown)
        message("${output}")
        message(FATAL_ERROR "status ${status}: ${shown}")
    endif()
endfunction()

if(KIND STREQUAL "installed")
    step(${CMAKE_COMMAND} --install "${BUILD}" --prefix "${scratch}/prefix")
endif()
step(${CMAKE_COMMAND} -S "${SOURCE}/tests/consumer/${KIND}" -B "${scratch}/build" -G "${GENERATOR}"
     "-DCMAKE_CXX_COMPILER=${COMPILER}" "-DCMAKE_PREFIX_PATH=${scratch}/prefix" "-DWEDGE_SOURCE=${SOURCE}")
step(${CMAKE_COMMAND} --build "${scratch}/build")
step("${scratch}/build/use_wedge")
step("${scratch}/build/use_explore")

if(KIND STREQUAL "subdirectory")
    step(${CMAKE_COMMAND} --install "${scratch}/build" --prefix "${scratch}/prefix")
    file(GLOB_RECURSE installed "${scratch}/prefix/*")
    if(installed)
        message(FATAL_ERROR "a subdirectory must install nothing, it installed: ${installed}")
    endif()
endif()
