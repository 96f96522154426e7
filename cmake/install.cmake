# SPDX-License-Identifier: Apache-2.0
# Installs the C library with its CMake package, so that find_package(bitpose) works, also in a cross
# build, and the tools.
include(CMakePackageConfigHelpers)
include(GNUInstallDirs)

set(package ${CMAKE_INSTALL_LIBDIR}/cmake/bitpose)
install(TARGETS bitpose EXPORT bitpose
  LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}
  PUBLIC_HEADER DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/bitpose
  INCLUDES DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(EXPORT bitpose FILE bitposeTargets.cmake NAMESPACE bitpose:: DESTINATION ${package})
configure_package_config_file(${PROJECT_SOURCE_DIR}/cmake/bitposeConfig.cmake.in
  ${PROJECT_BINARY_DIR}/bitposeConfig.cmake INSTALL_DESTINATION ${package})
write_basic_package_version_file(${PROJECT_BINARY_DIR}/bitposeConfigVersion.cmake
  COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/bitposeConfig.cmake
  ${PROJECT_BINARY_DIR}/bitposeConfigVersion.cmake DESTINATION ${package})
if(BITPOSE_BUILD_TOOLS)
  install(TARGETS bitpose-bench bitpose-run bitpose-selftest RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
endif()
