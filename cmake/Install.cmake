# SPDX-License-Identifier: Apache-2.0
# cmake --install build --prefix ANYWHERE: programs, libraries and the labelers' weights. The folder can
# be moved afterwards: programs find each other, the libraries and the weights from where they are.
# LibTorch is not copied; the libraries remember where it was at build time.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

set(programs remixer)
set(libraries)
foreach(target remixer-worker remixer-tools)
  if(TARGET ${target})
    list(APPEND programs ${target})
  endif()
endforeach()
foreach(target remixer_ops remixer_cuda)
  if(TARGET ${target})
    list(APPEND libraries ${target})
  endif()
endforeach()
set(run_path "$ORIGIN/../lib" "$ORIGIN")
if(REMIXER_TORCH)
  # By name: a LibTorch below the sources is left out of the link path's share.
  list(APPEND run_path $<TARGET_FILE_DIR:LibTorch::LibTorch>)
endif()
set_target_properties(${programs} ${libraries} PROPERTIES
  INSTALL_RPATH "${run_path}" INSTALL_RPATH_USE_LINK_PATH ON)
install(TARGETS ${programs} RUNTIME DESTINATION bin)
install(DIRECTORY experiments/ DESTINATION share/remixer/experiments FILES_MATCHING PATTERN "*.toml")
install(FILES LICENSE THIRD_PARTY.md CITATION.cff DESTINATION share/doc/remixer)
if(NOT REMIXER_TORCH)
  return()
endif()

install(TARGETS ${libraries} EXPORT ReMixerTargets LIBRARY DESTINATION lib)
if(TARGET remixer_device_kernels)
  install(FILES ${CMAKE_LIBRARY_OUTPUT_DIRECTORY}/libremixer_kernels.so DESTINATION lib)
endif()
install(PROGRAMS core/io/torch_checkpoint.py DESTINATION bin RENAME remixer-checkpoint.py)
install(DIRECTORY ${PROJECT_SOURCE_DIR}/.deps/weights DESTINATION share/remixer OPTIONAL)

# find_package(ReMixer): ReMixer::ops, the operators for C++.
install(FILES core/kernels/operators.h DESTINATION include/remixer)
set_target_properties(remixer_ops PROPERTIES EXPORT_NAME ops)
target_include_directories(remixer_ops INTERFACE $<INSTALL_INTERFACE:include>)
install(EXPORT ReMixerTargets NAMESPACE ReMixer:: DESTINATION lib/cmake/ReMixer)
configure_package_config_file(cmake/ReMixerConfig.cmake.in ReMixerConfig.cmake INSTALL_DESTINATION lib/cmake/ReMixer)
write_basic_package_version_file(ReMixerConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/ReMixerConfig.cmake ${PROJECT_BINARY_DIR}/ReMixerConfigVersion.cmake
  cmake/FindLibTorch.cmake DESTINATION lib/cmake/ReMixer)
