// SPDX-License-Identifier: Apache-2.0
// --device, for subcommands that run networks.
#pragma once

#include <CLI/CLI.hpp>
#include <memory>
#include <string>

#include "core/distributed/communicator.h"

namespace remixer::tools {

// "auto" (a GPU if there is one), "cpu" or "cuda".
void add_device_option(CLI::App& app, std::string& device);

// A single rank on that device. Throws InputError if "cuda" is not available.
std::unique_ptr<training::Communicator> alone_on(const std::string& device);

}  // namespace remixer::tools
