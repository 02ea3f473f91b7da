// SPDX-License-Identifier: Apache-2.0
// Parses the text of an access file, for read_access and callers that have the text already.
#pragma once

#include <string>

#include "experiments/protocol/access.h"

namespace remixer::experiments::protocol {

// Messages use `name` as the file name. Throws InputError if the text is not an access file.
Access parse_access(const std::string& text, const std::string& name);

}  // namespace remixer::experiments::protocol
