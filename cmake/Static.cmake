# SPDX-License-Identifier: Apache-2.0
# A remixer that needs nothing of the machine it runs on: no shared library, not even the C library.
if(REMIXER_TORCH)
  message(FATAL_ERROR "REMIXER_STATIC: LibTorch cannot be linked statically; add -DREMIXER_TORCH=OFF")
endif()
set(CMAKE_FIND_LIBRARY_SUFFIXES .a)
set(OPENSSL_USE_STATIC_LIBS ON)
# The linker warns that looking up host names and users may load plugins of the C library:
# coordinator/command/static_program.cpp keeps it from that. (Not silenced: --no-warnings would let
# missing symbols pass as well.)
set(CMAKE_EXE_LINKER_FLAGS "${CMAKE_EXE_LINKER_FLAGS} -static")
# Debian has these two, and toml++ (experiments/CMakeLists.txt), as shared libraries only; their headers
# hold all of them.
add_library(fmt::fmt INTERFACE IMPORTED GLOBAL)
target_compile_definitions(fmt::fmt INTERFACE FMT_HEADER_ONLY=1)
add_library(spdlog::spdlog INTERFACE IMPORTED GLOBAL)
target_compile_definitions(spdlog::spdlog INTERFACE SPDLOG_FMT_EXTERNAL)
target_link_libraries(spdlog::spdlog INTERFACE fmt::fmt)
