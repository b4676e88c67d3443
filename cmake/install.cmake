# Installs the headers and a package that depends on no architecture.
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
