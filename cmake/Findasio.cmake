# SPDX-License-Identifier: BSL-1.0
# Standalone Asio where no package configuration exists (Debian). Defines asio::asio; reads the version.
find_path(asio_INCLUDE_DIR asio/any_io_executor.hpp)
mark_as_advanced(asio_INCLUDE_DIR)
if(asio_INCLUDE_DIR)
  file(STRINGS "${asio_INCLUDE_DIR}/asio/version.hpp" _asio_version REGEX "#define ASIO_VERSION [0-9]+")
  string(REGEX REPLACE ".*ASIO_VERSION ([0-9]+).*" "\\1" _asio_version "${_asio_version}")
  math(EXPR _asio_major "${_asio_version} / 100000")
  math(EXPR _asio_minor "${_asio_version} / 100 % 1000")
  math(EXPR _asio_patch "${_asio_version} % 100")
  set(asio_VERSION ${_asio_major}.${_asio_minor}.${_asio_patch})
endif()
find_package(Threads QUIET)

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(asio REQUIRED_VARS asio_INCLUDE_DIR Threads_FOUND VERSION_VAR asio_VERSION)

if(asio_FOUND AND NOT TARGET asio::asio)
  add_library(asio::asio INTERFACE IMPORTED)
  set_target_properties(asio::asio PROPERTIES INTERFACE_INCLUDE_DIRECTORIES "${asio_INCLUDE_DIR}" INTERFACE_COMPILE_DEFINITIONS ASIO_STANDALONE
                                              INTERFACE_LINK_LIBRARIES Threads::Threads)
endif()
