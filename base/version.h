// SPDX-License-Identifier: Apache-2.0
// Version and commit of this build.
#pragma once

#include <string>

namespace remixer {

// "0.1.0".
std::string version();
// The commit that it was built from, with "+changes" if the tree had local changes; "unknown"
// outside a checkout.
std::string commit();

}  // namespace remixer
