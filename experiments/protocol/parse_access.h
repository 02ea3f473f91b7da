// SPDX-License-Identifier: Apache-2.0
// The access file's text, for read_access and those who have the text already.
#pragma once

#include <string>

#include "experiments/protocol/access.h"

namespace remixer::experiments::protocol {

// `name` stands for the file in messages. Throws InputError where the text is no access file's.
Access parse_access(const std::string& text, const std::string& name);

}  // namespace remixer::experiments::protocol
