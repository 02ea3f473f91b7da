// SPDX-License-Identifier: Apache-2.0
#include "base/output.h"

#include <cerrno>
#include <cstdio>
#include <iostream>

#include "base/error.h"

namespace remixer {

int finish_output(const char* program, int code) {
  errno = 0;
  std::cout.flush();
  const bool flushed = std::fflush(stdout) == 0;
  const int why = errno;
  if (flushed && !std::ferror(stdout) && std::cout) return code;
  std::fprintf(stderr, "%s: standard output cannot be written%s%s\n", program, why ? ": " : "",
               why ? errno_text(why).c_str() : "");
  return code == kExitDone ? kExitFailure : code;
}

}  // namespace remixer
