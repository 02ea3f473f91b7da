# SPDX-License-Identifier: Apache-2.0
# A remixer that needs nothing of the machine it runs on: no shared library, not even the C library.
if(REMIXER_TORCH)
  message(FATAL_ERROR "REMIXER_STATIC: LibTorch cannot be linked statically; add -DREMIXER_TORCH=OFF")
endif()
set(CMAKE_FIND_LIBRARY_SUFFIXES .a)
set(OPENSSL_USE_STATIC_LIBS ON)
# -static is the linker's word for the whole program; host names are resolved by the C library's own
# readers of /etc/hosts and DNS, so its warning about plugins is not for us.
set(CMAKE_EXE_LINKER_FLAGS "${CMAKE_EXE_LINKER_FLAGS} -static -Wl,--no-warnings")
# Debian has these two as shared libraries only; their headers hold all of them.
add_library(fmt::fmt INTERFACE IMPORTED GLOBAL)
target_compile_definitions(fmt::fmt INTERFACE FMT_HEADER_ONLY=1)
add_library(spdlog::spdlog INTERFACE IMPORTED GLOBAL)
target_compile_definitions(spdlog::spdlog INTERFACE SPDLOG_FMT_EXTERNAL)
target_link_libraries(spdlog::spdlog INTERFACE fmt::fmt)
