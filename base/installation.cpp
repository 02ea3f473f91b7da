// SPDX-License-Identifier: Apache-2.0
#include "base/installation.h"

#include <sys/auxv.h>

#include <cstdlib>

#include "base/error.h"

namespace remixer {
namespace fs = std::filesystem;

fs::path running_program() {
  std::error_code error;
  const fs::path program = fs::read_symlink("/proc/self/exe", error);
  if (!error) return program;
  // Without /proc, as in a bare chroot: the path by which the kernel started the program.
  if (const auto* started = reinterpret_cast<const char*>(::getauxval(AT_EXECFN))) {
    return fs::absolute(started);
  }
  fail("cannot tell where this program is: /proc/self/exe: {}", error.message());
}

fs::path program_folder() {
  return running_program().parent_path();
}

fs::path library_folder() {
  return program_folder().parent_path() / "lib";
}

fs::path weights_folder(const fs::path& of_the_build) {
  if (const char* given = std::getenv("REMIXER_WEIGHTS"); given != nullptr && *given != '\0') {
    return given;
  }
  const fs::path installed = program_folder().parent_path() / "share/remixer/weights";
  std::error_code ignored;
  return fs::exists(installed, ignored) ? installed : of_the_build;
}

fs::path default_workspace() {
  const char* given = std::getenv("REMIXER_WORKSPACE");
  return given != nullptr && *given != '\0' ? given : "workspace";
}

}  // namespace remixer
