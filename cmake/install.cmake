# SPDX-License-Identifier: BSL-1.0
# One export set and one targets file for each component, so that settle-config.cmake can leave out what has no dependency.
include(CMakePackageConfigHelpers)
set(settle_install_dir share/cmake/settle)

foreach(component IN ITEMS core lockfree asio uv http2)
  if(settle_${component}_available)
    set(target settle_${component})
    if(component STREQUAL "core")
      set(target settle)
    endif()
    install(TARGETS ${target} EXPORT settle-${component}-targets FILE_SET HEADERS)
    install(EXPORT settle-${component}-targets NAMESPACE settle:: DESTINATION ${settle_install_dir})
  endif()
endforeach()

configure_package_config_file(cmake/settle-config.cmake.in ${PROJECT_BINARY_DIR}/settle-config.cmake INSTALL_DESTINATION ${settle_install_dir})
# Before 1.0 a minor release may break its users.
write_basic_package_version_file(${PROJECT_BINARY_DIR}/settle-config-version.cmake COMPATIBILITY SameMinorVersion ARCH_INDEPENDENT)
install(FILES ${PROJECT_BINARY_DIR}/settle-config.cmake ${PROJECT_BINARY_DIR}/settle-config-version.cmake cmake/settle-dependencies.cmake
              cmake/Findasio.cmake cmake/Finduv.cmake cmake/Findnghttp2.cmake
        DESTINATION ${settle_install_dir})
install(FILES LICENSE DESTINATION share/doc/settle)
