# SPDX-License-Identifier: Apache-2.0
# Finds LibTorch and defines LibTorch::LibTorch (CPU: libtorch_cpu and libc10 alone).
#
# Searched: CMAKE_PREFIX_PATH (a LibTorch of the user's own: a folder with include/ and lib/, or with
# share/cmake/Torch), then .deps/torch, where ./setup puts the pinned wheel, then, for the operators
# alone, the torch of the python3 on the path. LibTorch's own CMake package is not used: it asks for
# a CUDA Toolkit even when only the CPU libraries are wanted.
set(LibTorch_HINTS ${CMAKE_PREFIX_PATH} ${PROJECT_SOURCE_DIR}/.deps/torch/torch)
if(REMIXER_ONLY_OPS)
  execute_process(COMMAND python3 -c "import torch; print(torch.utils.cmake_prefix_path)"
    OUTPUT_VARIABLE LibTorch_OF_PYTHON OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
  list(APPEND LibTorch_HINTS ${LibTorch_OF_PYTHON})
endif()
find_path(LibTorch_INCLUDE_DIR ATen/ATen.h
  HINTS ${LibTorch_HINTS}
  PATH_SUFFIXES include torch/include ../../include ../../../include NO_DEFAULT_PATH)
find_library(LibTorch_CPU_LIBRARY torch_cpu
  HINTS ${LibTorch_INCLUDE_DIR}/../lib NO_DEFAULT_PATH)
find_library(LibTorch_C10_LIBRARY c10
  HINTS ${LibTorch_INCLUDE_DIR}/../lib NO_DEFAULT_PATH)
include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(LibTorch
  REQUIRED_VARS LibTorch_INCLUDE_DIR LibTorch_CPU_LIBRARY LibTorch_C10_LIBRARY
  REASON_FAILURE_MESSAGE "run ./setup, or point CMAKE_PREFIX_PATH at a LibTorch 2.11, or of pip's torch at torch.utils.cmake_prefix_path")

if(LibTorch_FOUND AND NOT TARGET LibTorch::LibTorch)
  get_filename_component(LibTorch_LIBRARY_DIR ${LibTorch_CPU_LIBRARY} DIRECTORY)
  get_filename_component(LibTorch_ROOT ${LibTorch_LIBRARY_DIR} DIRECTORY)
  add_library(LibTorch::c10 SHARED IMPORTED)
  set_target_properties(LibTorch::c10 PROPERTIES IMPORTED_LOCATION ${LibTorch_C10_LIBRARY})
  add_library(LibTorch::LibTorch SHARED IMPORTED)
  set_target_properties(LibTorch::LibTorch PROPERTIES
    IMPORTED_LOCATION ${LibTorch_CPU_LIBRARY}
    INTERFACE_COMPILE_DEFINITIONS "USE_DISTRIBUTED"
    INTERFACE_LINK_LIBRARIES "LibTorch::c10"
    # The wheel's libtorch_cpu finds the CUDA runtime stubs beside itself by its own RPATH.
    INTERFACE_LINK_OPTIONS "-Wl,--allow-shlib-undefined"
    # The wheel's folder also carries other libraries' headers (fmt of another version): it is
    # searched last, so that those of the system are found first.
    INTERFACE_COMPILE_OPTIONS
      "SHELL:-idirafter ${LibTorch_INCLUDE_DIR};SHELL:-idirafter ${LibTorch_INCLUDE_DIR}/torch/csrc/api/include")

  # LibTorch::cuda: only the library that is loaded where there is a GPU links it.
  if(REMIXER_CUDA_ENABLED)
    find_library(LibTorch_CUDA_LIBRARY torch_cuda HINTS ${LibTorch_LIBRARY_DIR} NO_DEFAULT_PATH REQUIRED)
    find_library(LibTorch_C10_CUDA_LIBRARY c10_cuda HINTS ${LibTorch_LIBRARY_DIR} NO_DEFAULT_PATH REQUIRED)
    # NCCL's header comes from the toolkit or from NCCL's own wheel beside LibTorch's.
    find_path(LibTorch_NCCL_INCLUDE_DIR nccl.h REQUIRED
      HINTS ${LibTorch_ROOT}/../nvidia/nccl/include ${CUDAToolkit_INCLUDE_DIRS})
    # LibTorch's headers include those of the mathematical libraries. A whole toolkit has them; nvcc's
    # wheel does not, but the libraries' own, which LibTorch came with, do.
    file(GLOB LibTorch_WHEELS_INCLUDE ${LibTorch_ROOT}/../nvidia/cu*/include)
    find_path(LibTorch_CUSPARSE_INCLUDE_DIR cusparse.h REQUIRED
      HINTS ${CUDAToolkit_INCLUDE_DIRS} ${LibTorch_WHEELS_INCLUDE})
    add_library(LibTorch::cuda INTERFACE IMPORTED)
    target_link_libraries(LibTorch::cuda INTERFACE ${LibTorch_CUDA_LIBRARY} ${LibTorch_C10_CUDA_LIBRARY})
    target_link_options(LibTorch::cuda INTERFACE -Wl,--no-as-needed)
    target_include_directories(LibTorch::cuda SYSTEM INTERFACE ${CUDAToolkit_INCLUDE_DIRS} ${LibTorch_NCCL_INCLUDE_DIR}
      ${LibTorch_CUSPARSE_INCLUDE_DIR})
  endif()
endif()
