# Installs the headers and a CMake package, which do not depend on the architecture.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

set(package_dir ${CMAKE_INSTALL_DATADIR}/cmake/wedge)
install(TARGETS wedge wedge_explore wedge_stress wedge_fuzz wedge_main EXPORT wedge_targets FILE_SET HEADERS)
install(EXPORT wedge_targets NAMESPACE wedge:: DESTINATION ${package_dir})
if(TARGET wedge_tool)
    install(TARGETS wedge_tool)
endif()
if(TARGET wedge_run)
    install(TARGETS wedge_run)
endif()
configure_package_config_file(
    ${CMAKE_CURRENT_LIST_DIR}/wedge-config.cmake.in ${PROJECT_BINARY_DIR}/cmake/wedge-config.cmake
    INSTALL_DESTINATION ${package_dir})
write_basic_package_version_file(
    ${PROJECT_BINARY_DIR}/cmake/wedge-config-version.cmake
    COMPATIBILITY SameMinorVersion ARCH_INDEPENDENT)
install(FILES ${PROJECT_BINARY_DIR}/cmake/wedge-config.cmake
              ${PROJECT_BINARY_DIR}/cmake/wedge-config-version.cmake
              ${CMAKE_CURRENT_LIST_DIR}/implement_order.cpp ${CMAKE_CURRENT_LIST_DIR}/implement_explore.cpp ${CMAKE_CURRENT_LIST_DIR}/implement_fuzz.cpp
              ${CMAKE_CURRENT_LIST_DIR}/implement_stress.cpp ${CMAKE_CURRENT_LIST_DIR}/implement_main.cpp
              ${CMAKE_CURRENT_LIST_DIR}/fuzz_ignorelist.txt
              ${CMAKE_CURRENT_LIST_DIR}/fuzz_uninstrumented.txt
        DESTINATION ${package_dir})

# The pkg-config files, for builds without CMake. They contain the prefix, so the installation writes them.
foreach(name IN ITEMS wedge wedge-explore)
    set(template "${CMAKE_CURRENT_LIST_DIR}/${name}.pc.in")
    install(CODE "
        set(CMAKE_INSTALL_INCLUDEDIR \"${CMAKE_INSTALL_INCLUDEDIR}\")
        set(CMAKE_INSTALL_DATADIR \"${CMAKE_INSTALL_DATADIR}\")
        set(PROJECT_VERSION \"${PROJECT_VERSION}\")
        configure_file(\"${template}\" \"\$ENV{DESTDIR}\${CMAKE_INSTALL_PREFIX}/${CMAKE_INSTALL_DATADIR}/pkgconfig/${name}.pc\" @ONLY)")
endforeach()

# Locks, checker, explorer and roles in one header. The build makes it; the repository does not contain it.
add_custom_target(wedge_all_header
    COMMAND sh "${CMAKE_CURRENT_LIST_DIR}/amalgamate.sh" "${PROJECT_SOURCE_DIR}/include" > "${PROJECT_BINARY_DIR}/wedge-all.hpp"
    BYPRODUCTS "${PROJECT_BINARY_DIR}/wedge-all.hpp" VERBATIM)
