# SPDX-License-Identifier: BSL-1.0
# Another machine, by zig's compiler: SETTLE_CROSS_TARGET is its triple, SETTLE_CROSS_BIN has one program for each tool.
string(REPLACE "-" ";" parts ${SETTLE_CROSS_TARGET})
list(GET parts 0 CMAKE_SYSTEM_PROCESSOR)
list(GET parts 1 system)
if(system STREQUAL "windows")
  set(CMAKE_SYSTEM_NAME Windows)
elseif(system STREQUAL "macos")
  set(CMAKE_SYSTEM_NAME Darwin)
  # Its <math.h> has <float.h> tell infinity alone, and to the C++ library that is all of <float.h>: so all of it comes before.
  add_compile_options("$<$<COMPILE_LANGUAGE:CXX>:SHELL:-include float.h>")
else()
  set(CMAKE_SYSTEM_NAME Linux)
endif()
set(CMAKE_TRY_COMPILE_PLATFORM_VARIABLES SETTLE_CROSS_TARGET SETTLE_CROSS_BIN)

set(CMAKE_C_COMPILER ${SETTLE_CROSS_BIN}/cc)
set(CMAKE_CXX_COMPILER ${SETTLE_CROSS_BIN}/c++)
set(CMAKE_C_COMPILER_TARGET ${SETTLE_CROSS_TARGET})
set(CMAKE_CXX_COMPILER_TARGET ${SETTLE_CROSS_TARGET})
set(CMAKE_AR ${SETTLE_CROSS_BIN}/ar CACHE FILEPATH "")
set(CMAKE_RANLIB ${SETTLE_CROSS_BIN}/ranlib CACHE FILEPATH "")
# Nothing of this machine's, but for the programs that build.
set(CMAKE_FIND_ROOT_PATH ${CMAKE_PREFIX_PATH})
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
foreach(kind IN ITEMS LIBRARY INCLUDE PACKAGE)
  set(CMAKE_FIND_ROOT_PATH_MODE_${kind} ONLY)
endforeach()
