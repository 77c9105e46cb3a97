# SPDX-License-Identifier: BSL-1.0

# What every test is compiled with. Warnings are for our own code only: the library's users never get these flags.
add_library(settle_test_options INTERFACE)
target_compile_options(settle_test_options INTERFACE -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Werror)
target_compile_options(settle_test_options INTERFACE $<$<CONFIG:Debug>:-g1>)  # enough for a back trace; half a minute less of each minute
target_include_directories(settle_test_options INTERFACE ${PROJECT_SOURCE_DIR}/tests/support)
# Asio before 1.26 does not see that clang has coroutines.
target_compile_definitions(settle_test_options INTERFACE $<$<CXX_COMPILER_ID:Clang>:ASIO_HAS_CO_AWAIT=1>
                                                         $<$<CXX_COMPILER_ID:Clang>:ASIO_HAS_STD_COROUTINE=1>)
target_link_libraries(settle_test_options INTERFACE Threads::Threads)

# For tests that count allocations: takes the place of malloc.
add_library(settle_test_allocations OBJECT ${PROJECT_SOURCE_DIR}/tests/support/allocations.cpp)
target_link_libraries(settle_test_allocations PRIVATE settle_test_options)
target_compile_features(settle_test_allocations PRIVATE cxx_std_20)

# settle_test(<name> COMPONENT core|lockfree|asio|uv|http2 SOURCES <file>... [OPTIONS <flag>...] [LINKS <target>...] [TIMEOUT <seconds>]
#             [PRECOMPILED] [AHEAD <header>])
# AHEAD: includes all that the files include, so that they may be compiled together; PRECOMPILED has tests/support/ahead.hpp.
# One executable; every TEST in it is one ctest test named <name>/<suite>.<test>.
function(settle_test name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "PRECOMPILED" "COMPONENT;TIMEOUT;AHEAD" "SOURCES;OPTIONS;LINKS")
  settle_keep_what_mentions("${SETTLE_TEST_MENTIONING}" arg_SOURCES)
  if(NOT arg_SOURCES OR NOT settle_${arg_COMPONENT}_available)
    return()
  endif()
  if(NOT arg_TIMEOUT)
    set(arg_TIMEOUT 120)
  endif()
  if(CMAKE_CROSSCOMPILING)  # an emulator is ten times as slow
    math(EXPR arg_TIMEOUT "10 * ${arg_TIMEOUT}")
  endif()
  settle_library_for_tests(${arg_COMPONENT} library)

  add_executable(test_${name} ${arg_SOURCES})
  target_compile_options(test_${name} PRIVATE ${arg_OPTIONS})
  target_link_libraries(test_${name} PRIVATE ${library} settle_test_options GTest::gtest_main ${arg_LINKS})
  if(arg_PRECOMPILED)
    settle_precompile(test_${name})
    settle_compile_together(test_${name} ${PROJECT_SOURCE_DIR}/tests/support/ahead.hpp ${SETTLE_TEST_TOGETHER} ${arg_SOURCES})
  elseif(arg_AHEAD)
    settle_compile_together(test_${name} ${CMAKE_CURRENT_SOURCE_DIR}/${arg_AHEAD} 3 ${arg_SOURCES})
  endif()
  settle_link_include_all(test_${name} ${arg_COMPONENT} "${arg_OPTIONS}")
  # Discovery when the tests run: a test binary that cannot start is a failed test, not a failed build.
  gtest_discover_tests(test_${name} TEST_PREFIX ${name}/ DISCOVERY_MODE PRE_TEST DISCOVERY_TIMEOUT 60 PROPERTIES TIMEOUT ${arg_TIMEOUT})
endfunction()

# Of a list of files, those with the word in them: without a second thread, a look for data races finds nothing that can be there.
function(settle_keep_what_mentions word files)
  if(word)
    set(kept)
    foreach(file IN LISTS ${files})
      file(STRINGS ${file} found REGEX "${word}" LIMIT_COUNT 1)
      if(found)
        list(APPEND kept ${file})
      endif()
    endforeach()
    set(${files} "${kept}" PARENT_SCOPE)
  endif()
endfunction()

# What most of them include is read once, by the first that asks. (The headers themselves are compiled alone elsewhere, so nothing hides
# behind it.)
function(settle_precompile target)
  get_property(first GLOBAL PROPERTY settle_precompiled)
  if(first)
    target_precompile_headers(${target} REUSE_FROM ${first})
  else()
    target_precompile_headers(${target} PRIVATE <gtest/gtest.h> <settle/settle.hpp>)
    set_property(GLOBAL PROPERTY settle_precompiled ${target})
  endif()
endfunction()

# Files that are compiled as one share what they instantiate: a third of the time less. Each is in a namespace of its own.
function(settle_compile_together target ahead count)
  list(LENGTH ARGN files)
  if(SETTLE_TEST_TOGETHER AND files GREATER count)
    set_target_properties(${target} PROPERTIES
      UNITY_BUILD ON UNITY_BUILD_BATCH_SIZE ${count} UNITY_BUILD_UNIQUE_ID SETTLE_TEST_FILE
      UNITY_BUILD_CODE_BEFORE_INCLUDE "#include \"${ahead}\"\nnamespace SETTLE_TEST_FILE {" UNITY_BUILD_CODE_AFTER_INCLUDE "}")
    foreach(file IN LISTS ARGN)
      file(STRINGS ${file} specialises REGEX "^(template <>|INSTANTIATE_TYPED)" LIMIT_COUNT 1)  # of what stands in another namespace
      if(specialises)
        set_source_files_properties(${file} PROPERTIES SKIP_UNITY_BUILD_INCLUSION ON)
      endif()
    endforeach()
  endif()
endfunction()

# settle_test_folder(<component> [TIMEOUT <seconds>]): the usual folder, one executable of all its files.
function(settle_test_folder component)
  cmake_path(GET CMAKE_CURRENT_SOURCE_DIR FILENAME folder)
  file(GLOB sources CONFIGURE_DEPENDS *.cpp)
  settle_test(${folder} COMPONENT ${component} SOURCES ${sources} ${ARGN})
endfunction()

# The library under test: settle::<component>, or the single header.
function(settle_library_for_tests component result)
  if(SETTLE_TEST_SINGLE_HEADER)
    set(${result} settle_single_${component} PARENT_SCOPE)
  elseif(component STREQUAL "core")
    set(${result} settle::settle PARENT_SCOPE)
  else()
    set(${result} settle::${component} PARENT_SCOPE)
  endif()
endfunction()

# Every test executable also links one file that includes every header of its component, twice: what is not inline is defined twice then.
function(settle_link_include_all target component options)
  set(object include_all_${component})
  if(options)
    string(APPEND object _${target})
  endif()
  if(NOT TARGET ${object})
    set(text "// Generated by tests/cmake/settle_test.cmake.\n")
    set(headers ${settle_${component}_headers})
    if(WIN32 OR APPLE)
      list(FILTER headers EXCLUDE REGEX "testing/weave")  # the explorer wants POSIX's contexts, which macOS has no more
    endif()
    foreach(note IN ITEMS "" "  // NOLINT(readability-duplicate-include): the second time must do nothing")
      foreach(header IN LISTS headers)
        string(REPLACE "include/" "" header ${header})
        string(APPEND text "#include <${header}>${note}\n")
      endforeach()
    endforeach()
    set(file ${PROJECT_BINARY_DIR}/include_all/${component}.cpp)
    file(CONFIGURE OUTPUT ${file} CONTENT "${text}" @ONLY)
    settle_library_for_tests(${component} library)
    add_library(${object} OBJECT ${file})
    target_compile_options(${object} PRIVATE ${options})
    target_link_libraries(${object} PRIVATE ${library} settle_test_options)
  endif()
  target_link_libraries(${target} PRIVATE ${object})
endfunction()
