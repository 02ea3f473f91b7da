# SPDX-License-Identifier: Apache-2.0
# Run at each build: writes version.cpp, and only when its text changes.
execute_process(COMMAND git -C ${SOURCE} rev-parse HEAD
  OUTPUT_VARIABLE commit OUTPUT_STRIP_TRAILING_WHITESPACE RESULT_VARIABLE failed ERROR_QUIET)
if(failed)
  set(commit unknown)
else()
  execute_process(COMMAND git -C ${SOURCE} diff --quiet HEAD RESULT_VARIABLE changed ERROR_QUIET)
  if(changed)
    string(APPEND commit "+changes")
  endif()
endif()
file(CONFIGURE OUTPUT ${OUTPUT} CONTENT [[#include "base/version.h"

namespace remixer {

std::string version() { return "@VERSION@"; }
std::string commit() { return "@commit@"; }

}  // namespace remixer
]] @ONLY)
