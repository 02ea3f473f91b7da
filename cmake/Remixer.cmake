# SPDX-License-Identifier: Apache-2.0
# Build conventions shared by every room.

add_library(remixer_options INTERFACE)
target_include_directories(remixer_options INTERFACE ${PROJECT_SOURCE_DIR})
target_compile_options(remixer_options INTERFACE -Wall -Wextra -Wno-unknown-pragmas)
# A release keeps its assertions: they mark our own mistakes, and cost nothing that shows. The heavy
# loops are LibTorch's; -O3 would only lengthen the build.
set(REMIXER_OPTIMISATION -O2 CACHE STRING "How a release is optimised; -O1 builds in two thirds of the time")
set(CMAKE_CXX_FLAGS_RELEASE ${REMIXER_OPTIMISATION})
# Tests are built faster so, and share the precompiled headers all the same.
set(REMIXER_TEST_OPTIONS $<$<CONFIG:Release>:-O1>)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # GCC 12 warns of overflows inside fmt 9 that cannot happen.
  set(CMAKE_CXX_FLAGS "${CMAKE_CXX_FLAGS} -Wno-stringop-overflow")
endif()
# Debian's fmt and spdlog are used as shared libraries, not compiled into each file.
target_compile_definitions(remixer_options INTERFACE SPDLOG_FMT_EXTERNAL)
if(REMIXER_SANITIZE)
  target_compile_options(remixer_options INTERFACE -fsanitize=${REMIXER_SANITIZE} -fno-omit-frame-pointer -g1)
  target_link_options(remixer_options INTERFACE -fsanitize=${REMIXER_SANITIZE})
  # Boost.Asio's fences, which GCC's ThreadSanitizer does not know, stand beside locks that it knows.
  target_compile_options(remixer_options INTERFACE $<$<CXX_COMPILER_ID:GNU>:-Wno-tsan>)
endif()
if(REMIXER_FUZZ)
  # Every library tells the fuzzer which code was reached.
  target_compile_options(remixer_options INTERFACE -fsanitize=fuzzer-no-link)
endif()

# The libraries that the build chose come before those of a user's LD_LIBRARY_PATH (another LibTorch):
# RPATH, which is searched first, not RUNPATH, which newer linkers write.
add_link_options(-Wl,--disable-new-dtags)

find_program(REMIXER_CCACHE ccache)
if(REMIXER_CCACHE)
  # Precompiled headers are cached only when told that their time stamps do not matter.
  set(CMAKE_CXX_COMPILER_LAUNCHER
    ${CMAKE_COMMAND} -E env CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime
    ${REMIXER_CCACHE})
  target_compile_options(remixer_options INTERFACE $<$<CXX_COMPILER_ID:GNU>:-fpch-preprocess>)
endif()

# Executables are compiled as libraries are, so that both share one precompiled header.
set(CMAKE_CXX_COMPILE_OPTIONS_PIE -fPIC)

# remixer_library(NAME SOURCES... LINK targets... [TORCH]): one room's static library.
# TORCH adds LibTorch and its precompiled header; without it the plain one is shared, unless OWN_PCH
# says that the target brings its own. Sources are compiled six at a time (REMIXER_UNITY): they are small
# and include much the same, so that reading headers is most of the work. Names in their unnamed
# namespaces therefore differ within a library.
function(remixer_library name)
  cmake_parse_arguments(ARG "TORCH;OWN_PCH" "" "SOURCES;LINK" ${ARGN})
  add_library(${name} STATIC ${ARG_SOURCES})
  set_target_properties(${name} PROPERTIES UNITY_BUILD ${REMIXER_UNITY} UNITY_BUILD_BATCH_SIZE 6)
  if(REMIXER_UNITY)
    # GCC takes an unnamed namespace in an included .cpp for a header's.
    target_compile_options(${name} PRIVATE $<$<CXX_COMPILER_ID:GNU>:-Wno-subobject-linkage>)
  endif()
  target_link_libraries(${name} PUBLIC remixer_options ${ARG_LINK})
  if(ARG_TORCH)
    remixer_use_torch(${name})
  elseif(NOT ARG_OWN_PCH)
    remixer_use_pch(${name} plain)
  endif()
endfunction()

# remixer_use_pch(NAME plain|test): shares the precompiled header cmake/pch/<plain|test>.h.
function(remixer_use_pch name header)
  target_precompile_headers(${name} REUSE_FROM remixer_${header}_pch)
endfunction()

# remixer_use_torch(NAME): links LibTorch and shares its precompiled header.
function(remixer_use_torch name)
  target_link_libraries(${name} PUBLIC LibTorch::LibTorch)
  if(TARGET remixer_torch_pch)
    target_precompile_headers(${name} REUSE_FROM remixer_torch_pch)
  endif()
endfunction()

# remixer_test(NAME LABEL label SOURCES... LINK targets... [TORCH]): a GoogleTest program, one ctest
# entry a test case. Labels: unit (under 2 minutes in all), store, process, slow, ...
function(remixer_test name)
  cmake_parse_arguments(ARG "TORCH" "LABEL;TIMEOUT" "SOURCES;LINK" ${ARGN})
  if(NOT ARG_TIMEOUT)
    set(ARG_TIMEOUT 120)
  endif()
  add_executable(${name} ${ARG_SOURCES})
  target_compile_options(${name} PRIVATE ${REMIXER_TEST_OPTIONS})
  target_link_libraries(${name} PRIVATE remixer_options remixer_test_support ${ARG_LINK} GTest::gmock GTest::gtest_main)
  if(ARG_TORCH)
    remixer_use_torch(${name})
  else()
    remixer_use_pch(${name} test)
  endif()
  include(GoogleTest)
  gtest_discover_tests(${name} DISCOVERY_MODE PRE_TEST
    PROPERTIES LABELS ${ARG_LABEL} TIMEOUT ${ARG_TIMEOUT} COST ${ARG_TIMEOUT})
endfunction()

# remixer_python_test(NAME SCRIPT LABEL label [TIMEOUT seconds] [ENVIRONMENT NAME=value...]): a Python
# program (unittest) as one ctest entry, run by Debian's interpreter with what ./setup --tests brings:
# torch, timm, torchvision, Pillow, NumPy, safetensors, and tests/support. The programs' places are in
# REMIXER_TOOLS and REMIXER_OPERATORS (tests/support/remixer_python.py).
function(remixer_python_test name script)
  if(NOT REMIXER_TORCH)
    return()
  endif()
  cmake_parse_arguments(ARG "" "LABEL;TIMEOUT" "ENVIRONMENT" ${ARGN})
  if(NOT ARG_TIMEOUT)
    set(ARG_TIMEOUT 300)
  endif()
  get_filename_component(script ${script} ABSOLUTE)
  get_filename_component(folder ${script} DIRECTORY)
  set(path ${folder} ${PROJECT_SOURCE_DIR}/tests/support)
  foreach(part python-tests torch torch-python)
    list(APPEND path ${PROJECT_SOURCE_DIR}/.deps/${part})
  endforeach()
  list(JOIN path ":" path)
  add_test(NAME ${name} COMMAND /usr/bin/python3 -W ignore ${script})
  set_tests_properties(${name} PROPERTIES LABELS ${ARG_LABEL} TIMEOUT ${ARG_TIMEOUT}
    ENVIRONMENT "PYTHONPATH=${path};PYTHONDONTWRITEBYTECODE=1;REMIXER_TOOLS=$<TARGET_FILE:remixer-tools>;REMIXER_OPERATORS=$<TARGET_FILE:remixer_ops>;${ARG_ENVIRONMENT}")
endfunction()
