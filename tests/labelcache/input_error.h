// SPDX-License-Identifier: Apache-2.0
// What an operation says that is given bad input.
#pragma once

#include <string>

#include "base/error.h"

namespace remixer::labelcache {

// The message of the InputError that `action` throws; empty where it throws none.
template <typename Action>
std::string input_error(Action&& action) {
  try {
    action();
  } catch (const InputError& error) {
    return error.what();
  }
  return "";
}

}  // namespace remixer::labelcache
